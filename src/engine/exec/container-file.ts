import { closeSync, openSync, readSync } from 'node:fs';
import {
  closeDescriptor,
  Errno,
  O,
  openat2,
  RESOLVE,
  S,
  signalPidfd,
  statAt,
  TsboxError,
} from '../../kernel/index.ts';

/**
 * Reads a file as the container's processes see it now, mounts included, or gives undefined where it has no such regular file. The kernel keeps the
 * walk inside the container's root whatever is renamed or linked meanwhile (CVE-2018-15664), and nothing but a regular file is ever opened.
 *
 * @throws {TsboxError} FILE_TOO_LARGE, NOT_RUNNING
 */
export function readContainerFile(
  container: { pid: number; pidfd: number; name: string },
  path: string,
  maximumBytes: number,
): string | undefined {
  const root = openContainerRoot(container);
  try {
    const resolve = RESOLVE.RESOLVE_IN_ROOT | RESOLVE.RESOLVE_NO_MAGICLINKS;
    const allow = [Errno.ENOENT, Errno.ENOTDIR, Errno.ELOOP];
    const file = openat2(root, `./${path}`, O.O_PATH, resolve, { path, allow });
    if (file < 0) return undefined;
    try {
      const status = statAt(file, '');
      if (status === undefined || (status.mode & S.S_IFMT) !== S.S_IFREG) return undefined;
      return readBounded(file, path, maximumBytes);
    } finally {
      closeDescriptor(file);
    }
  } finally {
    closeSync(root);
  }
}

/** The root directory of a container's PID 1; to be closed with closeSync. @throws {TsboxError} NOT_RUNNING */
export function openContainerRoot(container: { pid: number; pidfd: number; name: string }): number {
  let root: number | undefined;
  try {
    root = openSync(`/proc/${container.pid}/root`, O.O_RDONLY | O.O_DIRECTORY);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ESRCH') throw error;
  }
  // Asked after it was opened: as long as it lives, nobody else has its PID.
  if (root !== undefined && signalPidfd(container.pidfd, 0)) return root;
  if (root !== undefined) closeSync(root);
  throw new TsboxError('NOT_RUNNING', `container ${container.name} is not running`);
}

/** What is read is bounded, not what was said to be there: the container may write to it. */
function readBounded(file: number, path: string, maximumBytes: number): string {
  const fd = openSync(`/proc/self/fd/${file}`, O.O_RDONLY | O.O_NONBLOCK | O.O_NOCTTY);
  try {
    const bytes = Buffer.alloc(maximumBytes + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read)
      read = readSync(fd, bytes, length, bytes.length - length, null);
    if (length <= maximumBytes) return bytes.toString('utf8', 0, length);
  } finally {
    closeSync(fd);
  }
  throw new TsboxError('FILE_TOO_LARGE', `\`${path}\` in the container is larger than ${maximumBytes} bytes`);
}
