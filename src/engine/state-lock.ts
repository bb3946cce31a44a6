import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { lockWithin } from '../kernel/index.ts';
import { containersDirectory } from './paths.ts';

/**
 * Does something with a container's state lock held: whoever reads its record in order to change it. The lock is an flock(2) on `state.lock`
 * in its directory, for moments; the lock on the directory itself is another, which its owner holds for the container's life.
 *
 * `change` must not wait for anything (an await would keep everybody else from the container), hence it is synchronous.
 *
 * @param seconds how long to wait for others, default 10
 * @returns what `change` returns; undefined where the container is gone
 * @throws {TsboxError} LOCK_TIMEOUT, which names who has it
 */
export function withStateLock<T>(id: string, change: () => T, seconds?: number): T | undefined {
  const fd = openLock(join(containersDirectory(), id, 'state.lock'));
  if (fd === undefined) return undefined;
  try {
    lockWithin(fd, `container ${id.slice(0, 12)}`, seconds);
    // It may have been removed while we waited: then this is a lock on nothing.
    return fstatSync(fd).nlink === 0 ? undefined : change();
  } finally {
    closeSync(fd);
  }
}

function openLock(file: string): number | undefined {
  try {
    return openSync(file, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    // Who only looks needs to write nothing, and whoever changed something before has left the file.
    if (code === 'EROFS') return openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW);
    throw error;
  }
}
