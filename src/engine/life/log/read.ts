import { closeSync } from 'node:fs';
import { lockAbandoned } from '../../container-directory.ts';
import { findContainer } from '../../find-container.ts';
import { readRecord } from '../../record.ts';
import { exitFile, readExit } from '../exit-file.ts';
import { parseRestartPolicy } from '../restart-policy.ts';
import { News } from '../wait.ts';
import { logDirectory, openLogFiles, openNewer } from './files.ts';
import { type LogLine, parseLine } from './line.ts';
import { moment } from './moment.ts';
import { seekTail } from './tail.ts';

export interface LogOptions {
  /** Go on with what it writes, until it ends. */
  follow?: boolean;
  /** How many lines of the end. Default: all. */
  tail?: number;
  /** From then on: RFC 3339, seconds since 1970, or how long ago (`10m`). */
  since?: string;
  until?: string;
  /** Ends the reading. */
  signal?: AbortSignal;
}

/**
 * What a container has written, line by line in the order in which it was written.
 *
 * @throws {TsboxError} NO_CONTAINER, AMBIGUOUS_ID, BAD_OPTION
 */
export async function* readLog(reference: string, options: LogOptions = {}): AsyncGenerator<LogLine, void> {
  for await (const batch of readLogBatches(reference, options)) yield* batch;
}

/** The same, with as many lines at once as were read at once: an await for each of ten million lines takes longer than the rest. */
export async function* readLogBatches(
  reference: string,
  options: LogOptions = {},
): AsyncGenerator<LogLine[], void> {
  const { id } = findContainer(reference);
  const since = options.since === undefined ? '' : moment('--since', options.since);
  const until = options.until === undefined ? '~' : moment('--until', options.until);
  const news = options.follow ? new News(logDirectory(id)) : undefined;
  let files = openLogFiles(id);
  try {
    if (options.tail !== undefined && options.tail >= 0) files = seekTail(files, options.tail);
    let rest: Buffer = Buffer.alloc(0);
    while (!options.signal?.aborted) {
      // Asked before the reading: what is written until its end is then read.
      const over = !options.follow || hasEnded(id);
      const file = files[0];
      const bytes = file?.read(CHUNK);
      if (bytes !== undefined) {
        const { lines, rest: left } = split(rest.length === 0 ? bytes : Buffer.concat([rest, bytes]));
        rest = left;
        const wanted = lines.filter(({ time }) => time >= since && time <= until);
        if (wanted.length > 0) yield wanted;
        if (lines.length > 0 && (lines.at(-1) as LogLine).time > until) return;
        continue;
      }
      if (file !== undefined && files.length === 1 && options.follow) files.push(...openNewer(id, file));
      if (file === undefined) files.push(...openLogFiles(id));
      if (files.length > (file === undefined ? 0 : 1)) {
        // A newer one is there, so this one is complete; but it may have grown between the two looks.
        const last = file?.read(CHUNK);
        if (file !== undefined && last !== undefined) file.offset -= last.length;
        else if (file !== undefined) files.shift()?.close();
        continue;
      }
      if (over) return;
      await news?.wait(LOOK_UP);
    }
  } finally {
    news?.close();
    for (const file of files) file.close();
  }
}

function split(bytes: Buffer): { lines: LogLine[]; rest: Buffer } {
  const lines: LogLine[] = [];
  let start = 0;
  for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, start)) {
    const line = parseLine(bytes.subarray(start, end));
    if (line !== undefined) lines.push(line);
    start = end + 1;
  }
  return { lines, rest: bytes.subarray(start) };
}

/** Nobody writes to its log any more. One that waits for its restart will. */
function hasEnded(id: string): boolean {
  const record = readRecord(id);
  if (record === undefined || record.status === 'exited' || record.status === 'created') return true;
  if (record.status === 'restarting') return false;
  const restarts = parseRestartPolicy(record.options?.restart).name !== 'no' && !record.stopRequested;
  if (!restarts && readExit(exitFile(id)) !== undefined) return true;
  const lock = lockAbandoned(id);
  if (lock !== undefined) closeSync(lock);
  return lock !== undefined;
}

const CHUNK = 256 * 1024;
const LOOK_UP = 500;
