import { closeSync, fstatSync, ftruncateSync, openSync, readdirSync } from 'node:fs';
import { setAttributes } from '../../image/layer/attributes.ts';
import {
  AT,
  closeDescriptor,
  cString,
  Errno,
  O,
  openat2,
  RESOLVE,
  readXattrs,
  S,
  syscall,
} from '../../kernel/index.ts';

/**
 * Copies what is in a directory, with its attributes, into another one; by descriptors and by bytes. No symbolic link is followed on either side, and no device is
 * opened.
 *
 * @param from an open directory
 * @param to an open directory, empty
 */
export function copyTree(from: number, to: number): void {
  copyDirectory(from, to, '', { top: to, links: new Map() });
}

interface Copying {
  top: number;
  /** The first name of a file that has several, by device and inode. */
  links: Map<string, string>;
}

function copyDirectory(from: number, to: number, path: string, copying: Copying): void {
  for (const name of readdirSync(`/proc/self/fd/${from}`, { encoding: 'buffer' })) {
    const flags = O.O_PATH | O.O_NOFOLLOW | O.O_CLOEXEC;
    const child = syscall('openat', [from, cString(name), flags, 0], { allow: [Errno.ENOENT] });
    if (child < 0) continue;
    try {
      copyOne(
        child,
        to,
        name,
        path === '' ? name.toString('latin1') : `${path}/${name.toString('latin1')}`,
        copying,
      );
    } finally {
      closeDescriptor(child);
    }
  }
  const { mode, uid, gid, mtimeNs } = fstatSync(from, { bigint: true });
  const xattrs = portable(readXattrs(from));
  setAttributes(
    to,
    { mode: Number(mode) & 0o7777, uid: Number(uid), gid: Number(gid), mtime: mtimeNs, xattrs },
    path,
  );
}

function copyOne(source: number, to: number, name: Buffer, path: string, copying: Copying): void {
  const stats = fstatSync(source, { bigint: true });
  const type = Number(stats.mode) & S.S_IFMT;
  if (!isCopied(type, stats.rdev)) return;
  const context = { path, doing: 'copy' };
  const key = `${stats.dev}:${stats.ino}`;
  const first = type !== S.S_IFDIR && stats.nlink > 1n ? copying.links.get(key) : undefined;
  if (first !== undefined) linkTo(first, to, name, copying.top);
  else if (type === S.S_IFDIR) copyBelow(source, to, name, path, copying);
  else if (type === S.S_IFREG) copyFile(source, to, name, stats, path);
  else copyOther(source, to, name, stats, context);
  if (stats.nlink > 1n && type !== S.S_IFDIR && first === undefined) copying.links.set(key, path);
}

function copyBelow(source: number, to: number, name: Buffer, path: string, copying: Copying): void {
  const flags = O.O_RDONLY | O.O_DIRECTORY | O.O_NOFOLLOW;
  syscall('mkdirat', [to, cString(name), 0o700], { path, doing: 'copy' });
  const below = openat2(to, name, flags, RESOLVE.RESOLVE_BENEATH, { path, doing: 'copy' });
  try {
    const readable = openSync(`/proc/self/fd/${source}`, O.O_RDONLY | O.O_DIRECTORY);
    try {
      copyDirectory(readable, below, path, copying);
    } finally {
      closeSync(readable);
    }
  } finally {
    closeDescriptor(below);
  }
}

function linkTo(first: string, to: number, name: Buffer, top: number): void {
  const resolve = RESOLVE.RESOLVE_BENEATH | RESOLVE.RESOLVE_NO_SYMLINKS;
  const context = { path: first, doing: 'copy' };
  const target = openat2(top, Buffer.from(first, 'latin1'), O.O_PATH | O.O_NOFOLLOW, resolve, context);
  try {
    syscall('linkat', [target, cString(''), to, cString(name), AT.AT_EMPTY_PATH], context);
  } finally {
    closeDescriptor(target);
  }
}

type Stats = { size: bigint; mode: bigint; uid: bigint; gid: bigint; mtimeNs: bigint; rdev: bigint };

function copyFile(source: number, to: number, name: Buffer, stats: Stats, path: string): void {
  const context = { path, doing: 'copy' };
  // What O_PATH has opened is known to be a regular file, and this opens the same.
  const input = openSync(`/proc/self/fd/${source}`, O.O_RDONLY | O.O_NONBLOCK | O.O_NOCTTY);
  try {
    const flags = O.O_WRONLY | O.O_CREAT | O.O_EXCL | O.O_NOFOLLOW | O.O_CLOEXEC;
    const output = syscall('openat', [to, cString(name), flags, 0o600], context);
    try {
      copyContent(input, output, Number(stats.size), context);
      const { mode, uid, gid, mtimeNs } = stats;
      const xattrs = portable(readXattrs(input));
      setAttributes(
        output,
        { mode: Number(mode) & 0o7777, uid: Number(uid), gid: Number(gid), mtime: mtimeNs, xattrs },
        path,
      );
    } finally {
      closeDescriptor(output);
    }
  } finally {
    closeSync(input);
  }
}

/** The kernel does it: by sharing the blocks where the file system can, else by pages that never come here (copy_file_range(2), sendfile(2)). */
function copyContent(input: number, output: number, size: number, context: object): void {
  const allow = [Errno.EXDEV, Errno.EINVAL, Errno.EOPNOTSUPP, Errno.ENOSYS, Errno.EBADF];
  let call: 'copy_file_range' | 'sendfile' = 'copy_file_range';
  for (let left = size; left > 0; ) {
    const length = Math.min(left, 1 << 30);
    const copied =
      call === 'copy_file_range'
        ? syscall(call, [input, null, output, null, length, 0], { ...context, allow })
        : syscall(call, [output, input, null, length], context);
    if (copied < 0) call = 'sendfile';
    else if (copied === 0) break;
    else left -= copied;
  }
  // It became shorter meanwhile, or it ends in a hole.
  if (fstatSync(output).size < size) ftruncateSync(output, size);
}

/** Not what means nothing there: a socket without who listens, or a whiteout, which is none of the image's files. */
function isCopied(type: number, rdev: bigint): boolean {
  return type !== S.S_IFSOCK && (type !== S.S_IFCHR || rdev !== 0n);
}

function copyOther(source: number, to: number, name: Buffer, stats: Stats, context: object): void {
  const type = Number(stats.mode) & S.S_IFMT;
  if (type === S.S_IFLNK) {
    const target = Buffer.alloc(4097);
    const length = syscall('readlinkat', [source, cString(''), target, 4096], context);
    syscall('symlinkat', [cString(target.subarray(0, length)), to, cString(name)], context);
  } else syscall('mknodat', [to, cString(name), type | 0o600, Number(stats.rdev)], context);
  const owner = [Number(stats.uid), Number(stats.gid), AT.AT_SYMLINK_NOFOLLOW] as const;
  const mode = Number(stats.mode) & 0o7777;
  syscall('fchownat', [to, cString(name), ...owner], context);
  // Not before: chown(2) takes away the setuid bits. It follows links, but this name was made a moment ago where nobody else can enter.
  if (type !== S.S_IFLNK) syscall('fchmodat', [to, cString(name), mode], context);
  syscall('utimensat', [to, cString(name), times(stats.mtimeNs), AT.AT_SYMLINK_NOFOLLOW], context);
}

function times(mtime: bigint): Buffer {
  const bytes = Buffer.alloc(32);
  const nanoseconds = ((mtime % SECOND) + SECOND) % SECOND;
  for (const offset of [0, 16]) {
    bytes.writeBigInt64LE((mtime - nanoseconds) / SECOND, offset);
    bytes.writeBigInt64LE(nanoseconds, offset + 8);
  }
  return bytes;
}

const SECOND = 1_000_000_000n;

/** Without overlayfs's own, which mean something in a layer only. */
function portable(xattrs: Map<string, Buffer>): Map<string, Buffer> {
  for (const name of xattrs.keys()) if (/^(trusted|user)\.overlay\./.test(name)) xattrs.delete(name);
  return xattrs;
}
