import { existsSync } from 'node:fs';
import type { Reference } from '../reference.ts';
import { blobPath, findNamed, PULLED_DIGEST, readIndex } from '../store/index.ts';
import { readImage, readParts, requireLayers } from '../store/read-image.ts';
import type { StoredImage } from '../stored-image.ts';

/** For which platform the image was asked for: the same name and digest may stand for several. */
export const PULLED_PLATFORM = 'tsbox.pulled-platform';

/** The image of this name, if it is what the registry has, and whole. */
export function findPulled(reference: Reference, digest: string, platform: string): StoredImage | undefined {
  const line = findNamed(readIndex(), reference.name);
  if (line === undefined) return undefined;
  const { [PULLED_DIGEST]: pulled, [PULLED_PLATFORM]: wanted } = line.annotations ?? {};
  if (pulled !== digest || wanted !== platform) return undefined;
  try {
    const image = readImage(line);
    if (image === undefined) return undefined;
    const layers = readParts(line)?.parts.layers ?? [];
    if (!layers.every((layer) => existsSync(blobPath(layer)))) return undefined;
    return requireLayers(image, line);
  } catch {
    // Damaged: it is fetched anew.
    return undefined;
  }
}
