/** The library's part about what containers have changed, each function loaded when it is called. */
export type { CommitOptions, ContainerChange } from './engine/diff/index.ts';

import type { Readable } from 'node:stream';
import type { CommitOptions, ContainerChange } from './engine/diff/index.ts';
import type { StoredImage } from './image/index.ts';

const diff = () => import('./engine/diff/index.ts');

/**
 * What a container has added, changed and deleted of its image's files.
 *
 * @throws {TsboxError} NO_CONTAINER, AMBIGUOUS_ID, NO_CONFIG, DIFF_UNSUPPORTED
 */
export async function diffContainer(reference: string): Promise<ContainerChange[]> {
  return (await diff()).diffContainer(reference);
}

/**
 * All files of a container as a tar archive, whether it runs or not: the image's and its own, without what is mounted on them. The stream fails with
 * CONTAINER_BUSY where the container is just being started or ended.
 *
 * @throws {TsboxError} NO_CONTAINER, AMBIGUOUS_ID
 */
export async function exportContainer(reference: string): Promise<Readable> {
  return (await diff()).exportContainer(reference);
}

/**
 * Makes an image of a container: its image's layers, and one of what it has written. It is held still meanwhile.
 *
 * @param name with or without a tag; without one the image has only its id
 * @throws {TsboxError} NO_CONTAINER, AMBIGUOUS_ID, IMAGE_NOT_FOUND, BAD_REFERENCE, BAD_CHANGE, DIFF_UNSUPPORTED
 */
export async function commitContainer(
  reference: string,
  name?: string,
  options?: CommitOptions,
): Promise<StoredImage> {
  return (await diff()).commitContainer(reference, name, options);
}
