import { AT, O } from './constants.ts';
import { Errno } from './errno.ts';
import { fields } from './fields.ts';
import { cString, type SyscallContext, syscall } from './syscall.ts';

/**
 * Opens a path below a directory, with the kernel keeping it there (openat2(2)).
 *
 * @param resolve flags of RESOLVE: `RESOLVE_IN_ROOT` takes the directory for `/`, as chroot would, for symbolic links and `..` too
 * @returns the descriptor, close-on-exec, or a negative errno that `context.allow` lists
 */
export function openat2(
  directory: number,
  path: string | Uint8Array,
  flags: number,
  resolve: number,
  context: SyscallContext = {},
): number {
  const how = openHow();
  fields(how).setUint32(0, flags | O.O_CLOEXEC, true);
  fields(how).setUint32(16, resolve, true);
  const args = [directory, cString(path), how, how.length] as const;
  const allow = [...(context.allow ?? []), Errno.EAGAIN];
  // EAGAIN: somebody renamed something on the way, and the kernel could not be sure that `..` stayed inside.
  for (let attempt = 0; ; attempt++) {
    const result = syscall('openat2', args, attempt < 100 ? { ...context, allow } : context);
    if (result !== -Errno.EAGAIN) return result;
  }
}

/** What a name stands for, without following a symbolic link. */
export interface Status {
  /** Type and permissions, as in stat(2). */
  mode: number;
  size: number;
  major: number;
  minor: number;
}

/** statx(2) of a name in a directory, or of the directory's descriptor itself for an empty name. Undefined where it is not there. */
export function statAt(
  directory: number,
  name: string | Uint8Array,
  context: SyscallContext = {},
): Status | undefined {
  statxBuffer ??= Buffer.alloc(256);
  const flags = AT.AT_SYMLINK_NOFOLLOW | AT.AT_EMPTY_PATH;
  const result = syscall('statx', [directory, cString(name), flags, STATX_BASIC_STATS, statxBuffer], {
    ...context,
    allow: [Errno.ENOENT, Errno.ENOTDIR],
  });
  if (result < 0) return undefined;
  return {
    mode: fields(statxBuffer).getUint16(28, true),
    size: Number(fields(statxBuffer).getBigUint64(40, true)),
    major: fields(statxBuffer).getUint32(128, true),
    minor: fields(statxBuffer).getUint32(132, true),
  };
}

/**
 * close(2), for what a system call of ours opened. The descriptor is gone also after EINTR, so the call is never repeated.
 *
 * What `openSync` opened is for `closeSync`, and nothing else is: in a worker thread Node keeps a list of those, warns of any other
 * that it closes, and closes what is left of the list when the worker ends.
 */
export function closeDescriptor(fd: number): void {
  syscall('close', [fd], { allow: [Errno.EINTR] });
}

/** Device numbers as mknod(2) takes them (the kernel's new_encode_dev). */
export function deviceNumber(major: number, minor: number): number {
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
}

const STATX_BASIC_STATS = 0x7ff;
let statxBuffer: Buffer | undefined;
let openHowBuffer: Buffer | undefined;

/** struct open_how: flags, mode and resolve, 8 bytes each. One buffer serves all calls: they are synchronous. */
function openHow(): Buffer {
  openHowBuffer ??= Buffer.alloc(24);
  return openHowBuffer;
}
