import type { LogLine } from '../index.ts';
import { printBytes } from './output.ts';

/** Prints lines of a log to the streams that they were written to, in their order, byte by byte as they were. */
export class LogPrinter {
  readonly #timestamps: boolean;
  /** Of which stream the last piece was one that goes on: no time stands in the middle of a line. */
  readonly #open = new Set<string>();

  constructor(timestamps: boolean) {
    this.#timestamps = timestamps;
  }

  print(lines: readonly LogLine[]): void {
    let parts: Buffer[] = [];
    let stream: LogLine['stream'] = 'stdout';
    const flush = () => {
      if (parts.length > 0) printBytes(stream === 'stdout' ? 1 : 2, Buffer.concat(parts));
      parts = [];
    };
    for (const line of lines) {
      if (line.stream !== stream) flush();
      stream = line.stream;
      if (this.#timestamps && !this.#open.has(stream)) parts.push(Buffer.from(`${line.time} `));
      parts.push(line.text);
      if (line.partial) this.#open.add(stream);
      else {
        parts.push(NEWLINE);
        this.#open.delete(stream);
      }
    }
    flush();
  }
}

const NEWLINE = Buffer.from('\n');
