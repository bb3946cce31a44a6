import { closeSync, openSync, readSync } from 'node:fs';

/**
 * A file that somebody else is still writing, read as it grows. A blob goes from the network to its file, and from there to whoever unpacks it:
 * neither waits for the other's pace, nothing is queued in memory, and the bytes need not be handed from thread to thread.
 */
export class GrowingFile {
  readonly #path: string;
  #available = 0;
  #complete = false;
  #failure: { error: unknown } | undefined;
  #wake: (() => void) | undefined;
  #reused: Buffer | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** So many bytes of it are there now; `complete` says that no more will come. */
  grow(available: number, complete = false): void {
    this.#available = Math.max(this.#available, available);
    this.#complete ||= complete;
    this.#wake?.();
  }

  /** It will never be complete: who reads it gets the error. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#wake?.();
  }

  /**
   * From now on each piece is put where the last one was: for a reader that is done with one when it asks for the next. New ones would be freed by a
   * full collection only, and 64 MB of them make one.
   */
  reusePieces(): void {
    this.#reused ??= Buffer.allocUnsafeSlow(CHUNK);
  }

  /** @param onRead is told how many bytes have been read */
  async *chunks(onRead: (read: number) => void): AsyncGenerator<Buffer> {
    let fd: number | undefined;
    try {
      for (let position = 0; ; ) {
        if (this.#failure !== undefined) throw this.#failure.error;
        if (position === this.#available) {
          if (this.#complete) return;
          await this.#grown();
          continue;
        }
        fd ??= openSync(this.#path, 'r');
        const length = Math.min(CHUNK, this.#available - position);
        const bytes = this.#reused ?? Buffer.allocUnsafeSlow(length);
        const count = readSync(fd, bytes, 0, length, position);
        if (count === 0) throw new Error(`\`${this.#path}\` is shorter than it was`);
        position += count;
        onRead(position);
        yield bytes.subarray(0, count);
      }
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
  }

  async #grown(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = undefined;
  }
}

const CHUNK = 128 * 1024;
