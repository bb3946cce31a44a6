import { closeSync, constants, openSync } from 'node:fs';
import { LOCK } from './constants.ts';
import { Errno } from './errno.ts';
import { syscall } from './syscall.ts';

/** A lock that is held. It ends with `release()`, with `using`, or with the process, however that ends. */
export interface Lock {
  readonly fd: number;
  /** Ends the lock, and closes the descriptor if `lockFile` opened it. A second call does nothing. */
  release(): void;
  [Symbol.dispose](): void;
}

/**
 * Takes an advisory lock (flock(2)) on a file, which is made if it is not there, on a directory, or on an open descriptor.
 *
 * The lock belongs to the open file, not to the process: two calls with the same path exclude each other in one process too. So a
 * lock that is waited for must never be held across an `await`, or the thread that holds it is the one that waits.
 *
 * @param options.wait false: answers undefined at once where somebody else has it. Default true: blocks this thread.
 * @throws {KernelError} or Node's own error where the path cannot be opened
 */
export function lockFile(
  target: string | number,
  mode: 'exclusive' | 'shared',
  options?: { wait?: true },
): Lock;
export function lockFile(
  target: string | number,
  mode: 'exclusive' | 'shared',
  options: { wait?: boolean },
): Lock | undefined;
export function lockFile(
  target: string | number,
  mode: 'exclusive' | 'shared',
  options: { wait?: boolean } = {},
): Lock | undefined {
  const fd = typeof target === 'number' ? target : open(target);
  const operation = mode === 'exclusive' ? LOCK.LOCK_EX : LOCK.LOCK_SH;
  let taken = false;
  try {
    const result =
      options.wait === false
        ? syscall('flock', [fd, operation | LOCK.LOCK_NB], { allow: [Errno.EAGAIN], doing: 'take a lock' })
        : syscall('flock', [fd, operation], { doing: 'take a lock' });
    taken = result === 0;
    return taken ? held(fd, typeof target === 'string') : undefined;
  } finally {
    if (!taken && typeof target === 'string') closeSync(fd);
  }
}

function held(fd: number, ours: boolean): Lock {
  let released = false;
  const release = () => {
    if (released) return;
    released = true;
    // The last descriptor of the open file ends the lock; a process cloned meanwhile has a copy of it until it execs, so say it.
    syscall('flock', [fd, LOCK.LOCK_UN]);
    if (ours) closeSync(fd);
  };
  return { fd, release, [Symbol.dispose]: release };
}

/** A directory can be opened for reading only, and a file has to be made. */
function open(path: string): number {
  try {
    return openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EISDIR') throw error;
    return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  }
}
