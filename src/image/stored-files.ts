import { readFileSync } from 'node:fs';
import { TsboxError } from '../kernel/index.ts';
import { JSON_LIMIT, OCI_MANIFEST, parseImageManifest } from './manifest.ts';
import type { BlobDescriptor, Manifest } from './registry/types.ts';
import { blobPath, type Descriptor, resolveManifest } from './store/index.ts';

/** The files that an image of the store is made of, as they came: what can be given away. */
export interface StoredFiles {
  manifest: Manifest;
  config: BlobDescriptor;
  /** The lowest first. */
  layers: BlobDescriptor[];
}

/**
 * The image behind a line of the store's index; of an image for several machines, which another program has copied in, the one for this machine.
 *
 * @throws {TsboxError} STORE_CORRUPT, BAD_MANIFEST, NO_PLATFORM
 */
export function readStoredFiles(line: Descriptor): StoredFiles {
  const descriptor = resolveManifest(line)?.descriptor ?? line;
  const bytes = readStoredJson(descriptor.digest);
  const { mediaType, config, layers } = parseImageManifest(bytes);
  return {
    manifest: {
      digest: descriptor.digest,
      mediaType: mediaType ?? descriptor.mediaType ?? OCI_MANIFEST,
      bytes,
    },
    config,
    layers,
  };
}

/** A small blob of the store. */
export function readStoredJson(digest: string): Buffer {
  let bytes: Buffer;
  try {
    bytes = readFileSync(blobPath(digest));
  } catch (cause) {
    throw new TsboxError('STORE_CORRUPT', `blob ${digest} is not in the image store`, {
      advice: 'remove the image with tsbox rmi, and get it again',
      cause,
    });
  }
  if (bytes.length > JSON_LIMIT) throw new TsboxError('STORE_CORRUPT', `blob ${digest} is no manifest`);
  return bytes;
}
