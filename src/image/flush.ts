import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { KernelError, native, syscallNumber } from '../kernel/index.ts';

/**
 * Waits until the disk has it all (syncfs(2)), on a thread of the pool. A layer is trusted by its name from then on: one that a power cut
 * had left full of zeros would never be noticed. One call for all files costs less than one a file.
 */
export async function flush(directory: string): Promise<void> {
  const fd = openSync(directory, 'r');
  try {
    const result = await native().syscallAsync(syscallNumber('syncfs'), fd);
    if (result < 0)
      throw new KernelError('syncfs', -result, { path: directory, doing: 'flush the image to its disk' });
  } finally {
    closeSync(fd);
  }
}

/**
 * Has what is being written go to its disk all the while, so that little is left to wait for at the end: the disk and the processors
 * work at the same time. Nothing depends on it: what goes wrong here, `flush` will say.
 *
 * @returns ends it, without waiting for what is under way
 */
export function flushAlong(directory: string): () => void {
  const stop = new AbortController();
  const { signal } = stop;
  const again = async () => {
    for (;;) {
      await sleep(BETWEEN, undefined, { signal });
      await flush(directory);
    }
  };
  again().catch(() => {});
  return () => stop.abort();
}

/** Milliseconds without a flush. More often means that the file system's journal is closed for nearly nothing. */
const BETWEEN = 200;

/** Writes a new blob, and waits until the disk has it. */
export function writeBlob(path: string, bytes: string | Buffer): void {
  const fd = openSync(path, 'wx', 0o600);
  try {
    const buffer = Buffer.from(bytes);
    for (let at = 0; at < buffer.length; ) at += writeSync(fd, buffer, at);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
