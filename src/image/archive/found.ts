import type { BlobDescriptor, Manifest } from '../registry/types.ts';
import type { Member } from './members.ts';

/** An image that an archive has: its files are there, and have the digests that they should have. What is in them is not yet looked at. */
export interface FoundImage {
  /** Names in the store; none for one that is to have its id only. */
  names: string[];
  manifest: Manifest;
  /** Whether the manifest was made here, since the archive has none. */
  made: boolean;
  config: { descriptor: BlobDescriptor; bytes: Buffer };
  layers: { descriptor: BlobDescriptor; member: Member }[];
}
