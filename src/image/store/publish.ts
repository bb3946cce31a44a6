import { existsSync, linkSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { TsboxError } from '../../kernel/index.ts';
import type { StoredImage } from '../stored-image.ts';
import { replaceIndex } from './garbage.ts';
import {
  corrupt,
  type Descriptor,
  formatIndex,
  imageName,
  REF_NAME,
  readIndex,
  UNPACKED_SIZE,
  withoutName,
} from './index-file.ts';
import { withStoreLock } from './lock.ts';
import { attributesPath, blobPath, layerPath, storePaths } from './paths.ts';
import { readImage } from './read-image.ts';
import { namesIn, type Temporary } from './temporary.ts';

export interface Unpublished {
  /** Holds the blobs, each under the hex of its digest. */
  blobs: Temporary;
  /** Unpacked layers by diff ID; each holds a directory `diff`. */
  layers: Map<string, Temporary>;
  /** Attributes layers by the id of the image that each is for (makeAttributes). */
  attributes?: ReadonlyMap<string, Temporary>;
  manifest: Descriptor;
  /** `alpine:latest`, or none. */
  name: string | undefined;
  /** Bytes unpacked. */
  size: number;
  /** More for the line of the index. */
  annotations?: Record<string, string>;
  /** What the image needs that the store had before, by digest: somebody may have removed it meanwhile. */
  needs?: { blobs: string[]; layers: string[] };
}

/**
 * Makes an image part of the store, in an order that leaves nothing behind when it is cut off: the blobs are linked, not moved, so that what is
 * in the unfinished directory tells a sweep what was published; the layers are known by the index alone; and the index comes last.
 *
 * @throws {TsboxError} STORE_CHANGED where something of `needs` is gone
 */
export function publishImage(image: Unpublished): StoredImage {
  const paths = storePaths();
  return withStoreLock(() => {
    requireParts(image);
    for (const [diffId, layer] of image.layers) publishLayer(layer, layerPath(diffId));
    for (const [id, layer] of image.attributes ?? []) publishLayer(layer, attributesPath(id));
    for (const name of namesIn(image.blobs.path).filter(isHex))
      link(join(image.blobs.path, name), join(paths.blobs, name));
    const all = readIndex();
    const descriptor = describe(image);
    const left = [...withNameTaken(all, image.name, image.manifest.digest), descriptor];
    replaceIndex(formatIndex(left), left, [])?.release();
    const stored = readImage(descriptor);
    if (stored === undefined) throw corrupt(paths.index);
    return stored;
  });
}

/**
 * Puts a layer where it is looked for. Call it under the store's lock.
 *
 * @param path of its `diff`
 */
export function publishLayer(layer: Temporary, path: string): void {
  // Somebody else had the same layer first: ours is removed with its unfinished directory.
  if (!existsSync(dirname(path))) renameSync(layer.path, dirname(path));
}

/**
 * The lines after a name has gone to the image with this digest: one that has lost its last name stays, without one, for the
 * containers that use it; as in Docker.
 */
export function withNameTaken(
  all: readonly Descriptor[],
  name: string | undefined,
  digest: string,
): Descriptor[] {
  const renamed = all.map((each) =>
    name !== undefined && imageName(each) === name ? withoutName(each) : each,
  );
  return renamed.filter((each) => {
    if (imageName(each) !== '') return true;
    // No line without a name beside one with a name for the same image.
    return (
      each.digest !== digest &&
      !renamed.some((other) => other.digest === each.digest && imageName(other) !== '')
    );
  });
}

function requireParts({ needs, blobs, layers }: Unpublished): void {
  const names = new Set(namesIn(blobs.path));
  const missing = [
    ...(needs?.blobs ?? []).filter((digest) => !names.has(digest.slice(7)) && !existsSync(blobPath(digest))),
    ...(needs?.layers ?? []).filter((diffId) => !layers.has(diffId) && !existsSync(layerPath(diffId))),
  ];
  if (missing[0] !== undefined) throw storeChanged(missing[0]);
}

export function storeChanged(digest: string): TsboxError {
  return new TsboxError('STORE_CHANGED', `somebody has removed ${digest} from the image store meanwhile`);
}

function isHex(name: string): boolean {
  return /^[0-9a-f]{64}$/.test(name);
}

function describe({ manifest, name, size, annotations }: Unpublished): Descriptor {
  return {
    ...manifest,
    annotations: {
      ...annotations,
      ...(name === undefined ? {} : { [REF_NAME]: name }),
      [UNPACKED_SIZE]: String(size),
    },
  };
}

function link(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
