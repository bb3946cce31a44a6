import { closeSync, fstatSync, ftruncateSync, openSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { LogSettings } from '../log-options.ts';
import { logDirectory } from './files.ts';

/**
 * Keeps the log of a container whose output passes through this process: the same format and the same rules as the monitor's
 * (native/monitor-log.h). It follows a stream by what is pushed into it, whoever reads it.
 */
export class LogWriter {
  readonly #directory: string;
  readonly #settings: LogSettings;
  #fd: number;
  #size: number;
  #lost = 0;

  constructor(id: string, settings: LogSettings) {
    this.#directory = logDirectory(id);
    this.#settings = settings;
    this.#fd = this.#open();
    this.#size = fstatSync(this.#fd).size;
  }

  follow(stream: Readable, name: 'stdout' | 'stderr'): void {
    let pending = Buffer.alloc(0);
    const push = stream.push.bind(stream);
    const rest = () => {
      if (pending.length > 0) this.#line(name, 'P', pending);
      pending = Buffer.alloc(0);
    };
    stream.push = (chunk: Buffer | null, encoding?: BufferEncoding) => {
      if (chunk === null) rest();
      else pending = this.#lines(name, pending.length === 0 ? chunk : Buffer.concat([pending, chunk]));
      return push(chunk, encoding);
    };
    stream.once('close', rest);
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** @returns what has no end yet */
  #lines(name: string, bytes: Buffer): Buffer<ArrayBuffer> {
    let start = 0;
    while (start < bytes.length) {
      const end = bytes.indexOf(0x0a, start);
      if (end >= 0 && end - start <= PIECE) {
        this.#line(name, 'F', bytes.subarray(start, end));
        start = end + 1;
      } else if (bytes.length - start >= PIECE) {
        this.#line(name, 'P', bytes.subarray(start, start + PIECE));
        start += PIECE;
      } else break;
    }
    return Buffer.from(bytes.subarray(start));
  }

  #line(name: string, tag: 'F' | 'P', text: Buffer): void {
    const time = new Date().toISOString().replace('Z', '000000Z');
    if (this.#lost > 0) {
      const confession = `${time} stderr F tsbox: ${this.#lost} lines of output could not be written to the log\n`;
      if (this.#append(Buffer.from(confession))) this.#lost = 0;
    }
    const line = Buffer.concat([Buffer.from(`${time} ${name} ${tag} `), text, NEWLINE]);
    if (!this.#append(line)) this.#lost++;
  }

  /** All of it or nothing: a full disk stops nobody. */
  #append(line: Buffer): boolean {
    const { maxSize } = this.#settings;
    try {
      if (maxSize > 0 && this.#size > 0 && this.#size + line.length > maxSize) this.#rotate();
      const written = writeSync(this.#fd, line);
      if (written === line.length) {
        this.#size += written;
        return true;
      }
      ftruncateSync(this.#fd, this.#size);
    } catch {
      // ENOSPC, or its directory is gone.
    }
    return false;
  }

  #rotate(): void {
    if (this.#settings.maxFiles === 1) {
      ftruncateSync(this.#fd, 0);
      this.#size = 0;
      return;
    }
    const path = (number: number) =>
      join(this.#directory, `container.log${number === 0 ? '' : `.${number}`}`);
    for (let number = this.#settings.maxFiles - 1; number > 0; number--) {
      try {
        renameSync(path(number - 1), path(number));
      } catch {} // there are not so many yet
    }
    const fd = this.#open();
    closeSync(this.#fd);
    this.#fd = fd;
    this.#size = 0;
  }

  #open(): number {
    return openSync(join(this.#directory, 'container.log'), 'a', 0o600);
  }
}

const PIECE = 16384;
const NEWLINE = Buffer.from('\n');
