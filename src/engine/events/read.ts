import { closeSync, fstatSync, mkdirSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { moment } from '../life/log/moment.ts';
import { News } from '../life/wait.ts';
import { type EventFilters, fitsEvent } from './filter.ts';
import { JOURNAL, journalDirectory, OLDER, type StoreEvent } from './note.ts';

export interface EventOptions {
  /** From then on: RFC 3339, seconds since 1970, or how long ago (`10m`). Default: from now on. */
  since?: string;
  /** The iteration ends then. Default: never. */
  until?: string;
  filters?: EventFilters;
  /** Ends the iteration. */
  signal?: AbortSignal;
}

/**
 * What happens to containers, images and volumes, and what has happened, as long as it is still known.
 *
 * @throws {TsboxError} BAD_OPTION
 */
export async function* readEvents(options: EventOptions = {}): AsyncGenerator<StoreEvent, void> {
  const until = options.until === undefined ? undefined : moment('--until', options.until);
  const since = options.since === undefined ? undefined : moment('--since', options.since);
  mkdirSync(journalDirectory(), { recursive: true, mode: 0o700 });
  const news = new News(journalDirectory());
  const wake = () => news.tell();
  options.signal?.addEventListener('abort', wake);
  const files: Journal[] = [];
  try {
    if (since !== undefined) files.push(...Journal.open(OLDER));
    files.push(...Journal.open(JOURNAL));
    if (since === undefined) files[0]?.skipAll();
    while (!options.signal?.aborted) {
      const left = until === undefined ? LOOK_UP : Date.parse(until) - Date.now();
      const file = files[0];
      const events = file?.read() ?? [];
      for (const event of events) {
        if (until !== undefined && event.time > until) return;
        if ((since === undefined || event.time >= since) && fitsEvent(event, options.filters ?? {}))
          yield event;
      }
      if (events.length > 0) continue;
      if (files.length > 1) {
        files.shift()?.close();
        continue;
      }
      if (left <= 0) return;
      // Whoever had the old file open may still have written to it until now: it is read to its end before the new one.
      if (file === undefined || !file.isCurrent()) {
        files.push(...Journal.open(JOURNAL));
        if (files.length > (file === undefined ? 0 : 1)) continue;
      }
      await news.wait(Math.min(left, LOOK_UP));
    }
  } finally {
    options.signal?.removeEventListener('abort', wake);
    news.close();
    for (const file of files) file.close();
  }
}

/** The directory is watched; should an event of that get lost, this is when it is looked at anyway. */
const LOOK_UP = 1000;

class Journal {
  readonly #fd: number;
  #offset = 0;
  #rest: Buffer = Buffer.alloc(0);

  static open(name: string): Journal[] {
    try {
      return [new Journal(openSync(join(journalDirectory(), name), 'r'))];
    } catch {
      return [];
    }
  }

  constructor(fd: number) {
    this.#fd = fd;
  }

  skipAll(): void {
    this.#offset = fstatSync(this.#fd).size;
  }

  isCurrent(): boolean {
    const now = statSync(join(journalDirectory(), JOURNAL), { throwIfNoEntry: false });
    return now?.ino === fstatSync(this.#fd).ino;
  }

  /** As many as are there and fit into a buffer. What a crash has cut off, or is damaged, is left out. */
  read(): StoreEvent[] {
    const buffer = Buffer.alloc(256 * 1024);
    const events: StoreEvent[] = [];
    while (events.length === 0) {
      const length = readSync(this.#fd, buffer, 0, buffer.length, this.#offset);
      if (length === 0) return [];
      this.#offset += length;
      const lines = Buffer.concat([this.#rest, buffer.subarray(0, length)]);
      const end = lines.lastIndexOf(0x0a) + 1;
      this.#rest = lines.subarray(end);
      for (const line of lines.toString('utf8', 0, end).split('\n')) {
        const event = parse(line);
        if (event !== undefined) events.push(event);
      }
    }
    return events;
  }

  close(): void {
    closeSync(this.#fd);
  }
}

function parse(line: string): StoreEvent | undefined {
  if (line === '') return undefined;
  try {
    const event = JSON.parse(line) as StoreEvent;
    const isWhole = [event.time, event.type, event.action, event.id].every(
      (word) => typeof word === 'string',
    );
    return isWhole && typeof event.attributes === 'object' && event.attributes !== null ? event : undefined;
  } catch {
    return undefined;
  }
}
