import { AT, syscall } from '../../kernel/index.ts';
import { plainName } from '../archive-error.ts';
import type { TarEntry } from '../tar/index.ts';
import { setXattrs } from './xattrs.ts';

export type Attributes = Pick<TarEntry, 'mode' | 'uid' | 'gid' | 'mtime' | 'xattrs'>;

/**
 * Sets owner, permissions, extended attributes and time of an open file or directory. The order matters: chown(2) takes away the setuid
 * bits and security.capability, and everything before it changes what utimensat(2) sets.
 */
export function setAttributes(fd: number, attributes: Attributes, path: string): void {
  const context = { path: plainName(path), doing: 'unpack' };
  syscall('fchown', [fd, attributes.uid, attributes.gid], context);
  syscall('fchmod', [fd, attributes.mode], context);
  if (attributes.xattrs) setXattrs(fd, attributes.xattrs, path);
  syscall('utimensat', [fd, null, times(attributes.mtime), 0], context);
}

/** The same for what must not be opened: symbolic links, which have no permissions, device nodes and FIFOs. */
export function setAttributesAt(directory: number, name: Buffer, entry: TarEntry): void {
  const context = { path: plainName(entry.name), doing: 'unpack' };
  syscall('fchownat', [directory, name, entry.uid, entry.gid, AT.AT_SYMLINK_NOFOLLOW], context);
  // fchmodat(2) follows symbolic links; this name was made a moment ago in a directory that nobody else can enter.
  if (entry.type !== 'symlink') syscall('fchmodat', [directory, name, entry.mode], context);
  if (entry.xattrs) {
    const path = `/proc/self/fd/${directory}/`;
    setXattrs(Buffer.concat([Buffer.from(path), name.subarray(0, -1)]), entry.xattrs, entry.name);
  }
  syscall('utimensat', [directory, name, times(entry.mtime), AT.AT_SYMLINK_NOFOLLOW], context);
}

function times(mtime: bigint): Buffer {
  timespecs ??= Buffer.alloc(32);
  writeTimes(timespecs, 0, mtime);
  return timespecs;
}

/** Access time and modification time, both the latter: the time of unpacking would be no attribute of the image. */
export function writeTimes(to: Buffer, at: number, mtime: bigint): void {
  // The nanoseconds of a time before 1970 count forward too.
  const nanoseconds = ((mtime % SECOND) + SECOND) % SECOND;
  const seconds = (mtime - nanoseconds) / SECOND;
  for (const offset of [at, at + 16]) {
    to.writeBigInt64LE(seconds, offset);
    to.writeBigInt64LE(nanoseconds, offset + 8);
  }
}

const SECOND = 1_000_000_000n;
let timespecs: Buffer | undefined;
