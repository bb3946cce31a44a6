import { shownName, unsafeArchive } from '../archive-error.ts';
import type { ArchiveLimits } from '../limits.ts';

/** Where an entry lies in its layer, relative to the root and without `.` or empty parts. The root itself is `''` in `''`. */
export interface LayerPath {
  parent: string;
  name: string;
}

/**
 * Splits a name from an archive. An absolute one is meant from the root of the image, as everywhere in an image (Docker and containerd read it
 * so too). One with `..` in it is refused: containerd stops it at the root, but nobody makes such names by chance, and what was meant is not known.
 *
 * @throws {TsboxError} UNSAFE_ARCHIVE
 */
export function splitName(name: string, limits: ArchiveLimits, what = 'entry'): LayerPath {
  const shown = shownName(name);
  if (name === '') throw unsafeArchive(`an ${what} has no name`);
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw unsafeArchive(`${what} ${shown} climbs out of the image with \`..\``);
  if (parts.length > limits.depth)
    throw unsafeArchive(`${what} ${shown} lies more than ${limits.depth} directories deep`);
  const last = parts.pop() ?? '';
  for (const part of [...parts, last]) {
    if (part.length > 255) throw unsafeArchive(`${what} ${shown} has a part of more than 255 bytes`);
  }
  // Only a last part is a whiteout; a directory of that name would be one of no known meaning.
  if (parts.some((part) => part.startsWith('.wh.')))
    throw unsafeArchive(`${what} ${shown} lies in a whiteout`);
  return { parent: parts.join('/'), name: last };
}

/** The whole path, of a name that is not the root's. */
export function keyOf({ parent, name }: LayerPath): string {
  return parent === '' ? name : `${parent}/${name}`;
}
