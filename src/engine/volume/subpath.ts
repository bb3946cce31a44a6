import { closeSync, constants, openSync } from 'node:fs';
import { Errno, O, openat2, RESOLVE, TsboxError } from '../../kernel/index.ts';
import { printable } from '../options/index.ts';

/**
 * Opens a directory below a volume's own, which no link on the way may leave.
 *
 * @param what names the volume in the message
 * @throws {TsboxError} NO_SUBPATH
 */
export function openSubpath(what: string, directory: string, subpath: string): number {
  const volume = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const resolve = RESOLVE.RESOLVE_BENEATH | RESOLVE.RESOLVE_NO_MAGICLINKS;
    const found = openat2(volume, subpath, O.O_RDONLY | O.O_DIRECTORY, resolve, {
      path: subpath,
      doing: 'find the directory of the volume',
      allow: Object.keys(PROBLEMS).map((errno) => Number(errno)),
    });
    if (found >= 0) return found;
    throw new TsboxError('NO_SUBPATH', `${what}: ${printable(subpath)} ${PROBLEMS[-found]}`, {
      advice: 'make it first, with a container that has the whole volume',
    });
  } finally {
    closeSync(volume);
  }
}

const PROBLEMS: Record<number, string> = {
  [Errno.ENOENT]: 'is not there',
  [Errno.ENOTDIR]: 'is not a directory',
  [Errno.EXDEV]: 'leads out of it',
  [Errno.ELOOP]: 'is a link that leads nowhere',
};
