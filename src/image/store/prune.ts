import { lstatSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { StoredImage } from '../stored-image.ts';
import type { ImageUser } from './conflict.ts';
import { type ImageFilters, matches } from './filter.ts';
import { tryImage } from './find.ts';
import { neededBy, replaceIndex, sweepImages, tryParts } from './garbage.ts';
import { type Descriptor, formatIndex, hasForeignLines, imageName, readIndex } from './index-file.ts';
import { withStoreLock } from './lock.ts';
import { storePaths } from './paths.ts';
import { deletedWith, type RemovedImage } from './remove.ts';
import { namesIn } from './temporary.ts';
import { bytesOnDisk } from './usage.ts';

export interface PruneOptions {
  /** Those with names too. Default: only those that have lost theirs. */
  all?: boolean;
  filters?: ImageFilters;
  inUse?: (image: StoredImage) => ImageUser | undefined;
}

/**
 * Removes images that no container uses, and blobs of which the index knows nothing for a day: other programs leave them when they
 * give a name to another image.
 *
 * @returns what went, and the bytes that its files took
 */
export function pruneImages(options: PruneOptions = {}): RemovedImage & { reclaimed: number } {
  sweepImages();
  const { pruned, layers } = withStoreLock(() => {
    const all = readIndex();
    const gone = all.filter((each) => isUnused(each, all, options));
    const left = all.filter((each) => !gone.includes(each));
    const untagged = gone.map(imageName).filter((name) => name !== '');
    const pruned = { untagged, deleted: deletedWith(gone, left), reclaimed: bytesOfBlobs(gone, left) };
    const layers = replaceIndex(formatIndex(left), left, gone);
    pruned.reclaimed += removeStrayBlobs(left);
    return { pruned, layers };
  });
  if (layers !== undefined) pruned.reclaimed += bytesOnDisk(layers.path);
  layers?.release();
  return pruned;
}

function isUnused(
  line: Descriptor,
  all: readonly Descriptor[],
  { all: named, filters = {}, inUse }: PruneOptions,
): boolean {
  const image = tryImage(line);
  if (image === undefined) return false;
  const names = all.filter((each) => tryParts(each)?.config === image.id && imageName(each) !== '');
  if (names.length > 0 && named !== true) return false;
  return matches(image, filters) && inUse?.(image) === undefined;
}

function bytesOfBlobs(gone: readonly Descriptor[], left: readonly Descriptor[]): number {
  const kept = neededBy(left);
  if (!kept.complete) return 0;
  return [...neededBy(gone).blobs]
    .filter((name) => !kept.blobs.has(name))
    .reduce((sum, name) => sum + (blobStatus(name)?.size ?? 0), 0);
}

/** A blob that is being copied in is younger. Nothing goes while there is a line whose needs are not known. */
function removeStrayBlobs(left: readonly Descriptor[]): number {
  const needed = neededBy(left);
  if (!needed.complete || hasForeignLines()) return 0;
  let bytes = 0;
  for (const name of namesIn(storePaths().blobs)) {
    const status = needed.blobs.has(name) ? undefined : blobStatus(name);
    if (!status?.isFile() || Date.now() - status.ctimeMs < A_DAY) continue;
    rmSync(join(storePaths().blobs, name), { force: true });
    bytes += status.size;
  }
  return bytes;
}

function blobStatus(name: string) {
  return lstatSync(join(storePaths().blobs, name), { throwIfNoEntry: false });
}

const A_DAY = 24 * 60 * 60 * 1000;
