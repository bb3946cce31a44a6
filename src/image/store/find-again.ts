import { existsSync, statSync } from 'node:fs';
import type { StoredImage } from '../stored-image.ts';
import { findImage } from './find.ts';
import { storePaths } from './paths.ts';

/**
 * Like `findImage`, for a program that starts many containers: as long as index.json is the same file and the layers are there, a name is the same
 * image, the very same object. What it leads to never changes, being named by its digest.
 *
 * @throws {TsboxError} as `findImage` does
 */
export function findImageAgain(reference: string): StoredImage {
  const { index } = storePaths();
  const version = versionOf(index);
  if (version === undefined) return findImage(reference);
  const key = `${index}\0${reference}`;
  const there = known.get(key);
  if (there?.version === version && there.image.layers.every((layer) => existsSync(layer)))
    return there.image;
  const image = findImage(reference);
  known.delete(key);
  // Asked again: it must be the version that was read.
  if (versionOf(index) === version) known.set(key, { version, image });
  if (known.size > MOST) known.delete(known.keys().next().value as string);
  return image;
}

const known = new Map<string, { version: string; image: StoredImage }>();
const MOST = 16;

/** Another string for another version of the index, to which names may lead elsewhere; undefined where that cannot be told. */
export function indexVersion(): string | undefined {
  return versionOf(storePaths().index);
}

/**
 * Undefined where a file that looks the same may be another in a moment: time stamps are no finer than the kernel's clock tick, so that of two
 * changes in place within one, the second does not show.
 */
function versionOf(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined || Math.abs(Date.now() - stat.ctimeMs) < TICKS) return undefined;
  return `${stat.dev} ${stat.ino} ${stat.size} ${stat.mtimeMs} ${stat.ctimeMs}`;
}

/** Milliseconds; a tick is at most 10. */
const TICKS = 50;
