import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Descriptor, readIndex, readJson } from './index-file.ts';
import { replaceFile, withStoreLock } from './lock.ts';
import { attributesName, blobPath, isDigest, isLayerName, storePaths } from './paths.ts';
import { type ConfigFile, readParts } from './read-image.ts';
import { childrenOf, INDEX_DEPTH, type ManifestFile } from './resolve.ts';
import { makeTemporaryLocked, namesIn, type Temporary, takeAbandoned } from './temporary.ts';

/** What some image of the store needs. */
export interface Needed {
  /** Hex digests. */
  blobs: Set<string>;
  /** Names in the directory of the layers. */
  layers: Set<string>;
  /** False where an image could not be read: then nobody knows what it needs. */
  complete: boolean;
}

export function neededBy(descriptors: readonly Descriptor[]): Needed {
  const needed: Needed = { blobs: new Set(), layers: new Set(), complete: true };
  for (const { digest } of descriptors) {
    // Listed in an index of the layout it should be there; in an image's own index, only what was copied is.
    if (read(digest, needed) === undefined) needed.complete = false;
    collect(digest, needed, 0);
  }
  return needed;
}

/** For all machines, not ours alone: an image for several of them is given away whole. */
function collect(digest: string, needed: Needed, depth: number): void {
  needed.blobs.add(hex(digest));
  const file = read(digest, needed);
  if (file === undefined) return;
  const children = childrenOf(file);
  if (children !== undefined) {
    if (depth === INDEX_DEPTH) needed.complete = false;
    else for (const child of children) collect(child.digest, needed, depth + 1);
    return;
  }
  const { config, layers } = file as ManifestFile;
  const blobs = [config, ...(Array.isArray(layers) ? layers : [])].map((each) => each?.digest);
  for (const each of blobs) if (isDigest(each)) needed.blobs.add(hex(each));
  collectLayers(config?.digest, needed);
}

function collectLayers(config: unknown, needed: Needed): void {
  const file = isDigest(config) ? (read(config, needed) as ConfigFile | undefined) : undefined;
  // What has a configuration of another kind (a chart, a signature) has no layers either.
  const layers = file?.rootfs?.diff_ids ?? [];
  if (file === undefined || !Array.isArray(layers) || !layers.every(isDigest)) needed.complete = false;
  else for (const each of layers) needed.layers.add(hex(each));
  if (isDigest(config)) needed.layers.add(attributesName(config));
}

function read(digest: string, needed: Needed): object | undefined {
  try {
    return readJson(blobPath(digest));
  } catch {
    needed.complete = false;
    return undefined;
  }
}

/** Undefined for an image that is damaged, or of a kind that tsbox does not read. */
export function tryParts(descriptor: Descriptor) {
  try {
    return readParts(descriptor)?.parts;
  } catch {
    return undefined;
  }
}

/**
 * Removes what killed imports and removals have left: unfinished directories that nobody holds, the blobs that they were about to publish or to
 * remove, and layers that belong to no image. Blobs of which nothing is known are left alone: another program may be copying an image in.
 */
export function sweepImages(): void {
  const { images, layers } = storePaths();
  const taken = withStoreLock(() => {
    const needed = neededBy(readIndex());
    const abandoned = [...takeAbandoned(images), ...takeAbandoned(layers)];
    if (needed.complete) {
      for (const { path } of abandoned) removeBlobs(namesIn(path), needed);
      const orphans = namesIn(layers).filter((name) => isLayerName(name) && !needed.layers.has(name));
      if (orphans.length > 0) abandoned.push(setAside(orphans));
    }
    return abandoned;
  });
  for (const { release } of taken) release();
}

/**
 * Writes a new index and removes what no image in it needs of what the given ones are made of. Call it under the store's lock.
 *
 * @returns the layers, set aside: releasing them removes them, which may take long and needs no lock
 */
export function replaceIndex(
  text: string,
  left: readonly Descriptor[],
  gone: readonly Descriptor[],
): Temporary | undefined {
  const { images, index } = storePaths();
  const needed = neededBy(left);
  const before = neededBy(gone);
  const blobs = needed.complete ? [...before.blobs].filter((name) => !needed.blobs.has(name)) : [];
  const layers = needed.complete ? [...before.layers].filter((name) => !needed.layers.has(name)) : [];
  // A note of what is to go, by name, for the sweep after a kill between the index and the last blob.
  const note = makeTemporaryLocked(images);
  for (const name of blobs) writeFileSync(join(note.path, name), '');
  replaceFile(index, text);
  removeBlobs(blobs, needed);
  note.release();
  return layers.length > 0 ? setAside(layers) : undefined;
}

function setAside(names: readonly string[]): Temporary {
  const { layers } = storePaths();
  const aside = makeTemporaryLocked(layers);
  for (const name of names) {
    try {
      renameSync(join(layers, name), join(aside.path, name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return aside;
}

function removeBlobs(names: readonly string[], needed: Needed): void {
  const { blobs } = storePaths();
  for (const name of names) {
    if (isHex(name) && !needed.blobs.has(name)) rmSync(join(blobs, name), { force: true });
  }
}

function isHex(name: string): boolean {
  return /^[0-9a-f]{64}$/.test(name);
}

function hex(digest: string): string {
  return digest.slice('sha256:'.length);
}
