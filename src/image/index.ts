/**
 * Images: what they are called, where they come from, how they are kept, and what is in them. Nothing here knows what a
 * container is. What every start needs (finding an image, reading a file of it) is loaded at once, importing when it is asked for.
 */
import type { Readable } from 'node:stream';
import type { ImportOptions } from './import.ts';
import type { StoredImage } from './stored-image.ts';

export { ARCHIVE_LIMITS, type ArchiveLimits } from './limits.ts';
export { readImageFile } from './read-file.ts';
export { parseReference, type Reference } from './reference.ts';
export {
  findImage,
  findImageAgain,
  listImages,
  type RemovedImage,
  removeImage,
  sweepImages,
} from './store/index.ts';
export type { ImageConfig, StoredImage } from './stored-image.ts';
export type { ImportOptions };

/**
 * Makes an image of a root file system tar: plain, or in gzip, zstd or xz. It is read once, in pieces; memory does not grow with it.
 *
 * @param source a path, an http or https URL, or a stream
 * @param name `alpine`, `alpine:3.20`; without one the image has only its id
 * @throws {TsboxError} BAD_REFERENCE, BAD_CHANGE, SOURCE_UNREADABLE, BAD_ARCHIVE (not a tar, truncated, corrupt, over the limits), UNSAFE_ARCHIVE
 * (it reaches out of the image), DISK_FULL, STORE_UNWRITABLE. Nothing of it is left then.
 */
export async function importImage(
  source: string | Readable,
  name?: string,
  options: ImportOptions = {},
): Promise<StoredImage> {
  const module = await import('./import.ts');
  return await module.importImage(source, name, options);
}
