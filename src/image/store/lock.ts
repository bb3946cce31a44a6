import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { lockWithin, TsboxError } from '../../kernel/index.ts';
import { formatIndex } from './index-file.ts';
import { storePaths } from './paths.ts';

/**
 * Does something while nobody else changes the store. The store is made if it is not there.
 *
 * @param change must be synchronous and short: it blocks every other tsbox, and an `await` in it would let this one wait for itself
 * @throws {TsboxError} STORE_UNWRITABLE; LOCK_TIMEOUT, which names who has it
 */
export function withStoreLock<Result>(change: () => Result): Result {
  const { images, blobs, layers, index } = storePaths();
  try {
    // One by one: only the directories that are the store's own get its mode.
    for (const directory of [images, layers, join(images, 'blobs'), blobs]) {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
    }
    // Long enough for a disk that is slow at what is made durable with the lock held.
    const lock = lockWithin(images, 'the image store', 60);
    try {
      const marker = join(images, 'oci-layout');
      if (!existsSync(marker)) replaceFile(marker, '{"imageLayoutVersion":"1.0.0"}\n');
      if (!existsSync(index)) replaceFile(index, formatIndex([]));
      return change();
    } finally {
      lock.release();
    }
  } catch (error) {
    throw unwritable(error);
  }
}

/** Writes a file aside and renames it, so that who reads it sees the old one or the new one. Call it under the store's lock. */
export function replaceFile(path: string, text: string): void {
  const fd = openSync(`${path}.new`, 'w', 0o600);
  try {
    writeSync(fd, text);
    // Without it, a power cut soon after may leave an empty file under the new name.
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(`${path}.new`, path);
}

function unwritable(error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (error instanceof TsboxError || (code !== 'EACCES' && code !== 'EPERM' && code !== 'EROFS'))
    return error;
  return new TsboxError('STORE_UNWRITABLE', `cannot write to the image store: ${message}`, {
    advice:
      code === 'EROFS' ? 'set TSBOX_ROOT to a directory that can be written' : 'run tsbox as root (sudo)',
  });
}
