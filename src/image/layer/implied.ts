import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Notes beside a layer's `diff` which of its directories its tar does not describe. Where a layer below has the same directory, that one's
 * attributes are meant, and overlayfs would show this one's.
 *
 * @param directory the layer's `diff`
 * @param paths from the layer's root, one character a byte
 */
export function noteImplied(directory: string, paths: readonly string[]): void {
  if (paths.length === 0) return;
  // The one byte that no name has ends each.
  const text = paths.map((path) => `${path}\0`).join('');
  writeFileSync(noteOf(directory), text, { encoding: 'latin1', mode: 0o600, flag: 'wx' });
}

/** Whether there is such a note. Asked at every start of a container, so the note is not read. */
export function hasImplied(directory: string): boolean {
  return existsSync(noteOf(directory));
}

/** What was noted; nothing where every directory is described. */
export function readImplied(directory: string): string[] {
  try {
    return readFileSync(noteOf(directory), 'latin1').split('\0').slice(0, -1);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function noteOf(directory: string): string {
  return join(dirname(directory), 'implied');
}
