/** The library's part about images in the store and in archives, each function loaded when it is called. */
export type { ArchiveFormat, LoadedImage, LoadOptions, SaveOptions } from './image/archive/index.ts';
export type { ImageFilters } from './image/store/filter.ts';
export type { ImageHistory } from './image/store/history.ts';
export type { ImageDetails } from './image/store/inspect.ts';

import type { Readable } from 'node:stream';
import { noteImage } from './engine/events/note-image.ts';
import { imageUser } from './engine/records.ts';
import type { LoadedImage, LoadOptions, SaveOptions } from './image/archive/index.ts';
import type { ImportOptions, StoredImage } from './image/index.ts';
import type { ImageFilters } from './image/store/filter.ts';
import type { ImageHistory } from './image/store/history.ts';
import type { ImageDetails } from './image/store/inspect.ts';
import type { RemovedImage } from './image/store/remove.ts';
import type { TsboxError } from './kernel/index.ts';

/**
 * Takes a root filesystem archive into the store: a tar file, plain or compressed with gzip, zstd or xz.
 *
 * @param source a path, an http or https URL, or a stream
 * @param name what to call it, with or without a tag
 * @throws {TsboxError} with one line about what is wrong with it; nothing is kept then
 */
export async function importImage(
  source: string | Readable,
  name?: string,
  options?: ImportOptions,
): Promise<StoredImage> {
  // The parsers and decompressors are needed here only, and are the larger part of the code.
  const { importImage } = await import('./image/import.ts');
  const image = await importImage(source, name, options);
  noteImage('import', image.id, image.name);
  return image;
}

/**
 * Writes images into an archive that `tsbox load`, docker, podman and skopeo read. The same images make the same bytes.
 *
 * ```ts
 * await pipeline(await saveImages(['alpine']), createWriteStream('alpine.tar'));
 * ```
 *
 * @param references names, digests or ids. A name without a tag means all its tags
 * @param options.format `docker-archive` (default; it is an OCI image layout as well) or `oci-archive`
 * @returns the archive; the stream fails with STORE_CORRUPT where the store is damaged
 * @throws {TsboxError} IMAGE_NOT_FOUND, AMBIGUOUS_ID, STORE_CORRUPT
 */
export async function saveImages(references: readonly string[], options?: SaveOptions): Promise<Readable> {
  const { saveImages } = await import('./image/archive/index.ts');
  const archive = await saveImages(references, options);
  for (const reference of references) noteImage('save', reference, reference);
  return archive;
}

/**
 * Takes the images of an archive into the store: of `docker save`, `podman save`, `skopeo copy` or `saveImages`; plain, or in gzip, zstd or xz.
 *
 * @param source a path, an http or https URL, or a stream
 * @returns one for each name, and one for an image without any
 * @throws {TsboxError} with one line about what is wrong with it; nothing is kept then
 */
export async function loadImages(source: string | Readable, options?: LoadOptions): Promise<LoadedImage[]> {
  const { loadImages } = await import('./image/archive/index.ts');
  const loaded = await loadImages(source, options);
  for (const { id, name } of loaded) noteImage('load', id, name);
  return loaded;
}

/**
 * Removes a name, and what no other name needs. An id removes the image.
 *
 * @param options.force with all its names, and names of images that containers use
 * @throws {TsboxError} IMAGE_NOT_FOUND, AMBIGUOUS_ID, IMAGE_IN_USE, IMAGE_HAS_NAMES
 */
export async function removeImage(
  reference: string,
  options: { force?: boolean } = {},
): Promise<RemovedImage> {
  const { removeImage } = await import('./image/store/remove.ts');
  return noteRemoved(await removeImage(reference, { ...options, inUse: imageUser }));
}

/**
 * Gives an image one more name.
 *
 * @throws {TsboxError} IMAGE_NOT_FOUND, AMBIGUOUS_ID, BAD_REFERENCE
 */
export async function tagImage(source: string, target: string): Promise<StoredImage> {
  const { tagImage } = await import('./image/store/tag.ts');
  const image = tagImage(source, target);
  noteImage('tag', image.id, image.name);
  return image;
}

/**
 * What an image is, in the form of Docker's `image inspect`.
 *
 * @throws {TsboxError} IMAGE_NOT_FOUND, AMBIGUOUS_ID, STORE_CORRUPT, NO_PLATFORM
 */
export async function inspectImage(reference: string): Promise<ImageDetails> {
  const { inspectImage } = await import('./image/store/inspect.ts');
  return inspectImage(reference);
}

/**
 * How an image was made, the newest step first.
 *
 * @throws {TsboxError} IMAGE_NOT_FOUND, AMBIGUOUS_ID, STORE_CORRUPT, NO_PLATFORM
 */
export async function imageHistory(reference: string): Promise<{ id: string; entries: ImageHistory[] }> {
  const { imageHistory } = await import('./image/store/history.ts');
  return imageHistory(reference);
}

/**
 * The image of that name or id, whether it is unpacked or not.
 *
 * @throws {TsboxError} IMAGE_NOT_FOUND, AMBIGUOUS_ID, STORE_CORRUPT, NO_PLATFORM
 */
export async function findStoredImage(reference: string): Promise<StoredImage> {
  const { findStored } = await import('./image/store/find.ts');
  return findStored(reference).image;
}

/** The images that are so, the newest first. @param onDamaged told of those that cannot be read */
export async function filterImages(
  filters: ImageFilters,
  onDamaged?: (name: string, error: TsboxError) => void,
): Promise<StoredImage[]> {
  const { filterImages } = await import('./image/store/filter.ts');
  return filterImages(filters, onDamaged);
}

/** Removes the images that no container uses and that have lost their names; with `all`, those that have names too. */
export async function pruneImages(
  options: { all?: boolean; filters?: ImageFilters } = {},
): Promise<RemovedImage & { reclaimed: number }> {
  const { pruneImages } = await import('./image/store/prune.ts');
  return noteRemoved(await pruneImages({ ...options, inUse: imageUser }));
}

function noteRemoved<T extends { untagged: string[]; deleted: string[] }>(removed: T): T {
  for (const name of removed.untagged) noteImage('untag', name, name);
  for (const id of removed.deleted) noteImage('delete', id, undefined);
  return removed;
}
