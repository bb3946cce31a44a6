import { Errno } from './errno.ts';
import { isNativeLoaded, native } from './ffi.ts';
import { syscallNumber } from './numbers.ts';
import { syscall } from './syscall.ts';

/**
 * Ends the process, as `process.exit` does, but at once where it may: Node takes some milliseconds to stop its threads first, for nothing. Whoever listens
 * for `exit` is asked as always.
 */
export function leave(code: number): never {
  const usual = process.reallyExit;
  // What `process.exit` calls last.
  process.reallyExit = (last) => {
    if (isNativeLoaded() && !isWatched() && [0, 1, 2].every(isAsItWas)) syscall('exit_group', [last ?? 0]);
    return usual.call(process, last);
  };
  process.exit(code);
}

/** A profile or a report of Node's is written only by its own way out. */
function isWatched(): boolean {
  return process.execArgv.length > 0 || !!process.env.NODE_OPTIONS || !!process.env.NODE_V8_COVERAGE;
}

/**
 * Not so a terminal, whose settings may have been changed, and what Node made non-blocking, on a descriptor that others have too: on its own way out
 * Node makes them as they were (ResetStdio in src/node.cc).
 */
function isAsItWas(fd: number): boolean {
  // EIO: a terminal that is gone. Any other errno says that it is none.
  const settings = native().syscall(syscallNumber('ioctl'), fd, TCGETS, Buffer.alloc(64));
  if (settings === 0 || settings === -Errno.EIO) return false;
  const flags = native().syscall(syscallNumber('fcntl'), fd, F_GETFL);
  return flags < 0 || (flags & O_NONBLOCK) === 0;
}

const TCGETS = 0x5401;
const F_GETFL = 3;
const O_NONBLOCK = 0o4000;

declare global {
  namespace NodeJS {
    interface Process {
      /** Not in Node's own types, and what tools replace that want the last word. */
      reallyExit(code?: number): never;
    }
  }
}
