import { fstatSync, readSync } from 'node:fs';
import type { LogFile } from './files.ts';
import { FULL, TAG } from './line.ts';

/**
 * Puts the files where the last `count` lines begin, reading from the end: a log of a gigabyte is not read for its last ten lines. Files before
 * that are read no further.
 *
 * @returns the files to read, oldest first; the others are closed
 */
export function seekTail(files: LogFile[], count: number): LogFile[] {
  let left = count;
  for (let index = files.length - 1; index >= 0; index--) {
    const file = files[index] as LogFile;
    const { size } = fstatSync(file.fd);
    if (left === 0) {
      file.offset = size;
      continue;
    }
    const found = lineStarts(file, size, left);
    if (found.offset !== undefined) {
      file.offset = found.offset;
      left = 0;
    } else left -= found.lines;
    if (left === 0) {
      for (const older of files.slice(0, index)) older.close();
      return files.slice(index);
    }
  }
  return files;
}

/** Where the last `count` lines of a file begin; or how many it has, where those are fewer. A line of several pieces is one. */
function lineStarts(file: LogFile, size: number, count: number): { offset?: number; lines: number } {
  let lines = 0;
  let begin: number | undefined;
  // Each line's beginning is known when the newline before it is found; its tag is then read.
  const tag = Buffer.alloc(1);
  const isFull = (start: number) => readSync(file.fd, tag, 0, 1, start + TAG) === 1 && tag[0] === FULL;
  const block = Buffer.alloc(BLOCK);
  let first = true;
  const at = (start: number): boolean => {
    if (start >= size) return false;
    // The last line may be without its end: it counts as one.
    if (first || isFull(start)) {
      if (lines === count) return true;
      lines++;
    }
    first = false;
    begin = start;
    return false;
  };
  for (let end = size; end > 0; ) {
    const from = Math.max(0, end - BLOCK);
    const length = readSync(file.fd, block, 0, end - from, from);
    for (let i = length - 1; i >= 0; i--) {
      if (block[i] !== 0x0a) continue;
      if (at(from + i + 1)) return { offset: begin ?? size, lines };
    }
    end = from;
  }
  if (at(0)) return { offset: begin ?? size, lines };
  return lines >= count ? { offset: begin ?? 0, lines } : { lines };
}

const BLOCK = 65536;
