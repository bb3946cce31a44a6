import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { lockFile, TsboxError } from '../kernel/index.ts';
import { containersDirectory } from './paths.ts';

/**
 * Does something with a container's state lock held: whoever reads its record in order to change it. The lock is an flock(2) on `state.lock`
 * in its directory, for moments; the lock on the directory itself is another, which its owner holds for the container's life.
 *
 * `change` must not wait for anything (an await would keep everybody else from the container), hence it is synchronous.
 *
 * @param milliseconds how long to wait for others, default 10 s
 * @returns what `change` returns; undefined where the container is gone
 * @throws {TsboxError} LOCK_TIMEOUT, which names who has it
 */
export function withStateLock<T>(id: string, change: () => T, milliseconds = 10_000): T | undefined {
  const fd = openLock(id);
  if (fd === undefined) return undefined;
  try {
    acquire(fd, id, milliseconds);
    // It may have been removed while we waited: then this is a lock on nothing.
    return fstatSync(fd).nlink === 0 ? undefined : change();
  } finally {
    closeSync(fd);
  }
}

function openLock(id: string): number | undefined {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
  try {
    return openSync(join(containersDirectory(), id, 'state.lock'), flags, 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Asks again and again rather than once with a signal to end it: signals belong to the program that uses this library. */
function acquire(fd: number, id: string, milliseconds: number): void {
  const end = performance.now() + milliseconds;
  for (let pause = 1; ; pause = Math.min(pause * 2, 20)) {
    if (lockFile(fd, 'exclusive', { wait: false }) !== undefined) return;
    if (performance.now() >= end) break;
    // Not all at the same moment again.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pause * (0.5 + Math.random()));
  }
  throw new TsboxError(
    'LOCK_TIMEOUT',
    `container ${id.slice(0, 12)} is locked: ${lockHolder(fd) ?? 'somebody'} has been changing it for ${milliseconds / 1000} s`,
    { advice: 'if that process hangs, end it: the lock ends with it' },
  );
}

/** Who holds an flock on an open file, as `PID (command)`: proc_locks(5) knows locks by inode. */
export function lockHolder(fd: number): string | undefined {
  const { ino } = fstatSync(fd);
  try {
    for (const line of readFileSync('/proc/locks', 'latin1').split('\n')) {
      // `1: FLOCK  ADVISORY  WRITE 1234 fe:01:5678 0 EOF`; `->` is one that waits.
      const [, pid, inode] = /^\d+: FLOCK +ADVISORY +WRITE +(\d+) \w+:\w+:(\d+) /.exec(line) ?? [];
      if (pid !== undefined && Number(inode) === ino) return `process ${pid} (${commandOf(pid)})`;
    }
  } catch {
    // No /proc, or not the whole of it: then it stays unnamed.
  }
  return undefined;
}

function commandOf(pid: string): string {
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    return command.slice(0, 80) || 'no command';
  } catch {
    return 'ended meanwhile';
  }
}
