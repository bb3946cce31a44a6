import { closeSync, constants, openSync } from 'node:fs';
import { native } from './ffi.ts';

/** What is found in a directory. */
export interface Look {
  name: string;
  /** What is in the file that was to be read; undefined where it could not be. */
  text: string | undefined;
  /** Whether somebody has an flock(2) on the directory. */
  locked: boolean;
  /** Of the other file, in bytes; undefined where there is none. */
  size: number | undefined;
}

/**
 * Looks into many directories at once: the content of a file, then who holds the directory's lock, then the size of another file. For a list: seven system
 * calls for each, but one from JavaScript for all.
 *
 * @param names of directories in `directory`, without slashes
 */
export function lookInto(
  directory: string,
  names: readonly string[],
  { read, size }: { read: string; size: string },
): Look[] {
  if (names.length === 0) return [];
  const parent = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const looks: Look[] = [];
    const files = Buffer.from(`${read}\0${size}\0`);
    const bytes = Buffer.allocUnsafeSlow(Math.min(names.length, AT_ONCE) * ROOM);
    for (let at = 0; at < names.length; at += AT_ONCE) {
      const some = names.slice(at, at + AT_ONCE);
      const words = new BigInt64Array(WORDS * some.length);
      native().look(parent, Buffer.from(`${some.join('\0')}\0`), some.length, files, words, bytes);
      let end = 0;
      for (const [index, name] of some.entries()) {
        const [length, locked, size] = Array.from(
          words.subarray(WORDS * index, WORDS * (index + 1)),
          Number,
        ) as [number, number, number];
        const text = length < 0 ? undefined : bytes.toString('utf8', end, end + length);
        end += Math.max(0, length);
        looks.push({ name, text, locked: locked === 1, size: size < 0 ? undefined : size });
      }
    }
    return looks;
  } finally {
    closeSync(parent);
  }
}

/** Of struct look, native/look.h. */
const WORDS = 3;
const AT_ONCE = 256;
/** Bytes a file, on the average: what does not fit is as unreadable, and somebody else's to read. */
const ROOM = 4096;
