import { existsSync } from 'node:fs';
import { fileVersion } from '../../kernel/index.ts';
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
  const version = fileVersion(index);
  if (version === undefined) return findImage(reference);
  const key = `${index}\0${reference}`;
  const there = known.get(key);
  if (there?.version === version && there.image.layers.every((layer) => existsSync(layer)))
    return there.image;
  const image = findImage(reference);
  known.delete(key);
  // Asked again: it must be the version that was read.
  if (fileVersion(index) === version) known.set(key, { version, image });
  if (known.size > MOST) known.delete(known.keys().next().value as string);
  return image;
}

const known = new Map<string, { version: string; image: StoredImage }>();
const MOST = 16;

/** Another string for another version of the index, to which names may lead elsewhere; undefined where that cannot be told. */
export function indexVersion(): string | undefined {
  return fileVersion(storePaths().index);
}
