/** What the program wrote, as a line or as a piece of a long one. */
export interface LogLine {
  /** When it was written, RFC 3339 with nanoseconds. */
  time: string;
  stream: 'stdout' | 'stderr';
  /** Whether the line goes on: then no newline follows the text. */
  partial: boolean;
  /** Bytes, as they were, without the newline. */
  text: Buffer;
}

/**
 * `2026-11-23T10:00:00.123456789Z stdout F text`: everything before the text has a fixed width. Undefined for anything else: a line that was cut off by a
 * power failure.
 */
export function parseLine(line: Buffer): LogLine | undefined {
  const tag = line[TAG];
  const stream = line[STREAM + 3] === 0x6f /* o of stdout */ ? 'stdout' : 'stderr';
  if (line.length < TEXT || line[TIME] !== 0x20 || (tag !== F && tag !== P)) return undefined;
  return {
    time: line.toString('latin1', 0, TIME),
    stream,
    partial: tag === P,
    text: line.subarray(TEXT),
  };
}

const TIME = 30;
const STREAM = TIME + 1;
/** Where `F` or `P` is, and where the text begins. */
export const TAG = STREAM + 7;
export const TEXT = TAG + 2;
const F = 0x46;
const P = 0x50;
export const FULL = F;
