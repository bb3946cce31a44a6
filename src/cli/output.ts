import { writeSync } from 'node:fs';

/**
 * Writes text to standard output, all of it, before it returns. Not console.log, which loads a stream for it (3 ms) and loses
 * what is still queued when the process exits.
 */
export function print(text: string): void {
  write(1, text);
}

/** The same to standard error. */
export function printError(text: string): void {
  write(2, text);
}

/** Bytes as they are, to standard output (1) or error (2). */
export function printBytes(descriptor: 1 | 2, bytes: Buffer): void {
  write(descriptor, bytes);
}

function write(descriptor: number, text: string | Buffer): void {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  for (let written = 0; written < bytes.length; ) {
    try {
      written += writeSync(descriptor, bytes, written);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // The reader has gone (`tsbox images | head -1`): end as a program does that SIGPIPE ends, which Node ignores.
      if (code === 'EPIPE') process.exit(128 + 13);
      if (code !== 'EAGAIN') throw error;
      // Somebody made the pipe or terminal non-blocking, and it is full.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}
