import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { type Lock, lockFile, removeTree } from '../../kernel/index.ts';
import { withStoreLock } from './lock.ts';

/**
 * A directory for what is not finished. It lies next to where the result will be, so that a rename can publish it, and its maker holds
 * a lock on it for as long as it lives: one whose lock is free belongs to nobody, and the next `sweep` removes it.
 */
export interface Temporary {
  path: string;
  /** Removes it, or what is left of it, and ends the lock. */
  release(): void;
}

/** Under the store's lock, as sweeping is: between its making and its locking a directory looks abandoned. */
export function makeTemporary(parent: string): Temporary {
  return withStoreLock(() => makeTemporaryLocked(parent));
}

/** The same for a caller that holds the store's lock. */
export function makeTemporaryLocked(parent: string): Temporary {
  const path = mkdtempSync(join(parent, PREFIX));
  return temporary(path, lockFile(path, 'exclusive'));
}

/**
 * A directory of a name that others know: while one process has it, nobody else can. What a killed one has left in it is still there.
 *
 * @param name letters, digits and `-`
 * @returns undefined while another has it, be it to remove it
 */
export function takeTemporary(parent: string, name: string): Temporary | undefined {
  return withStoreLock(() => {
    const path = join(parent, `${PREFIX}${name}`);
    mkdirSync(path, { recursive: true, mode: 0o700 });
    let fd: number;
    try {
      fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    } catch (error) {
      // Whoever had it has removed it meanwhile, for which the store's lock is not needed.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    const lock = lockFile(fd, 'exclusive', { wait: false });
    const isSame = lock !== undefined && statSync(path, { throwIfNoEntry: false })?.ino === fstatSync(fd).ino;
    if (!isSame) {
      closeSync(fd);
      return undefined;
    }
    const { release } = temporary(path, lock);
    return {
      path,
      release: () => {
        release();
        closeSync(fd);
      },
    };
  });
}

/** Those whose makers are gone, now locked by us. Call it under the store's lock. */
export function takeAbandoned(parent: string): Temporary[] {
  const abandoned: Temporary[] = [];
  for (const name of namesIn(parent)) {
    if (!name.startsWith(PREFIX)) continue;
    const path = join(parent, name);
    const lock = lockFile(path, 'exclusive', { wait: false });
    if (lock !== undefined) abandoned.push(temporary(path, lock));
  }
  return abandoned;
}

function temporary(path: string, lock: Lock): Temporary {
  const release = () => {
    removeTree(path);
    lock.release();
  };
  return { path, release };
}

/** The names in a directory; none where it is not there. */
export function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

const PREFIX = '.unfinished-';
