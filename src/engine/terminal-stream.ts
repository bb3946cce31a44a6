import { readSync } from 'node:fs';
import { Duplex, type Writable } from 'node:stream';
import { ReadStream } from 'node:tty';
import { closeDescriptor, syscall } from '../kernel/index.ts';

/**
 * The master end of a terminal as one stream for both directions: what is typed and what is shown.
 *
 * libuv takes a read of less than it asked for, together with a hang-up, for the end (uv__stream_io). That is right for a
 * pipe, but a terminal gives at most 4095 bytes a read, and may still hold thousands when its last process is gone: they would
 * be lost. So the rest is read here, through a second descriptor, since libuv closes its own at what it takes for the end.
 */
export class TerminalStream extends Duplex {
  /** For the window's size; valid until the stream is destroyed. */
  readonly fd: number;
  readonly #master: ReadStream;

  /** @param fd the stream's from now on */
  constructor(fd: number) {
    super({ emitClose: true });
    this.fd = syscall('fcntl', [fd, F_DUPFD_CLOEXEC, 3], { doing: 'keep the terminal' });
    this.#master = new ReadStream(fd);
    this.#master.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) this.#master.pause();
    });
    this.#master.pause();
    this.#master.on('end', () => this.#finish());
    // EIO, where the hang-up was seen before the end.
    this.#master.on('error', () => this.#finish());
  }

  override _read(): void {
    this.#master.resume();
  }

  /** What is typed when nobody is left to read it is dropped, as by a real terminal. */
  override _write(chunk: Buffer, encoding: BufferEncoding, done: () => void): void {
    if (this.#master.destroyed) done();
    else this.#writable.write(chunk, encoding, () => done());
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#master.destroy();
    closeDescriptor(this.fd);
    done(error);
  }

  /** A ReadStream of a terminal is a socket and can be written to; its type does not say so. */
  get #writable(): Writable {
    return this.#master as unknown as Writable;
  }

  #finish(): void {
    if (this.destroyed || this.readableEnded) return;
    for (let chunk = this.#readRest(); chunk !== undefined; chunk = this.#readRest()) this.push(chunk);
    this.push(null);
  }

  /** Undefined at the end: EIO (pty(7)), or nothing more although somebody still has it open. */
  #readRest(): Buffer | undefined {
    const buffer = Buffer.allocUnsafe(4096);
    try {
      const length = readSync(this.fd, buffer);
      return length === 0 ? undefined : buffer.subarray(0, length);
    } catch {
      return undefined;
    }
  }
}

const F_DUPFD_CLOEXEC = 1030;
