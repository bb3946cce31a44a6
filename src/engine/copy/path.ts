import { fstatSync } from 'node:fs';
import { posix } from 'node:path';
import {
  closeDescriptor,
  cString,
  Errno,
  O,
  openat2,
  RESOLVE,
  syscall,
  TsboxError,
} from '../../kernel/index.ts';
import { refuseNul } from '../options/index.ts';
import type { ContainerRoot } from './root.ts';

/** How every path of a container is found: with its root as `/`, for symbolic links too, and through none of proc's. */
export const IN_CONTAINER = RESOLVE.RESOLVE_IN_ROOT | RESOLVE.RESOLVE_NO_MAGICLINKS;

/** Something in a container, open (O_PATH). */
export interface Found {
  fd: number;
  type: 'directory' | 'file' | 'symlink';
  /** Without a slash at the beginning or the end; '' for the root. */
  path: string;
}

/** Undefined where it is not there. @param follow whether a symbolic link at the end is followed, as a slash at the end says too */
export function find(root: ContainerRoot, path: string, follow: boolean): Found | undefined {
  refuseNul('PATH', path);
  const plain = posix.join('/', path).replace(/^\/|\/$/g, '');
  const flags = O.O_PATH | (follow ? 0 : O.O_NOFOLLOW);
  const allow = [Errno.ENOENT, Errno.ENOTDIR];
  const fd = openat2(root.fd, `./${plain}`, flags, IN_CONTAINER, { path, doing: 'find', allow });
  if (fd < 0) return undefined;
  const stats = fstatSync(fd);
  const type = stats.isDirectory() ? 'directory' : stats.isSymbolicLink() ? 'symlink' : 'file';
  return { fd, type, path: plain };
}

/** Where a symbolic link leads that is the last part of a path: a path of the container, which need not be there. */
export function followLast(root: ContainerRoot, path: string): string {
  let at = path;
  for (let links = 0; links < 40; links++) {
    const found = find(root, at, false);
    if (found === undefined || found.type !== 'symlink') {
      if (found) closeDescriptor(found.fd);
      return at;
    }
    const target = Buffer.alloc(4096);
    const length = syscall('readlinkat', [found.fd, cString(''), target, target.length]);
    closeDescriptor(found.fd);
    at = posix.resolve(posix.dirname(posix.join('/', at)), target.toString('utf8', 0, length));
  }
  throw new TsboxError('BAD_PATH', `\`${path}\`: too many symbolic links`);
}

/** Docker's words. */
export function notFound(root: ContainerRoot, path: string): TsboxError {
  return new TsboxError('NO_SUCH_FILE', `could not find the file ${path} in container ${root.name}`);
}
