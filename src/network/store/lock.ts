import { closeSync, constants, fstatSync, openSync, statSync } from 'node:fs';
import { lockWithin, TsboxError } from '../../kernel/index.ts';
import type { Network } from './network.ts';
import { networkPaths } from './paths.ts';

/**
 * Does something while nobody else gives or frees addresses of a network, changes who is in it, or removes it.
 *
 * @param change must be synchronous; it is given the open file of the lock, which belongs to who has the lock
 * @throws {TsboxError} NO_NETWORK where it was removed meanwhile; LOCK_TIMEOUT, which names who has it
 */
export function withNetworkLock<T>({ name }: Pick<Network, 'name'>, change: (fd: number) => T): T {
  const path = networkPaths(name).lock;
  const fd = open(path);
  if (fd === undefined) throw gone(name);
  try {
    const lock = lockWithin(fd, `network ${name}`);
    try {
      // It may have been removed, and made anew, while we waited: then this is a lock on nothing.
      const now = statSync(path, { throwIfNoEntry: false });
      if (now?.ino !== fstatSync(fd).ino) throw gone(name);
      return change(fd);
    } finally {
      lock.release();
    }
  } finally {
    closeSync(fd);
  }
}

function open(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function gone(name: string): TsboxError {
  return new TsboxError('NO_NETWORK', `no such network: ${name}`, {
    advice: '`tsbox network ls` lists them; `tsbox network create` makes one',
  });
}
