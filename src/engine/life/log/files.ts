import { closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { containersDirectory } from '../../paths.ts';

/** An open file of the log; it stays readable when it is renamed or removed. */
export class LogFile {
  readonly fd: number;
  readonly inode: number;
  offset = 0;

  constructor(path: string) {
    this.fd = openSync(path, 'r');
    this.inode = fstatSync(this.fd).ino;
  }

  /** Undefined where nothing more is there now. */
  read(size: number): Buffer | undefined {
    const buffer = Buffer.allocUnsafe(size);
    const length = readSync(this.fd, buffer, 0, size, this.offset);
    if (length > 0) {
      this.offset += length;
      return buffer.subarray(0, length);
    }
    // With one file only, a full one is begun anew.
    if (fstatSync(this.fd).size < this.offset) this.offset = 0;
    return undefined;
  }

  close(): void {
    closeSync(this.fd);
  }
}

export function logDirectory(id: string): string {
  return join(containersDirectory(), id);
}

/**
 * All that are there, oldest first. They are opened from the newest on: one that is renamed meanwhile is then met twice, and counts once; in the
 * other order it would be missed.
 */
export function openLogFiles(id: string): LogFile[] {
  const files = new Map<number, LogFile>();
  const last = lastNumber(id) + 2;
  for (let number = 0; number <= last; number++) {
    const file = tryOpen(join(logDirectory(id), number === 0 ? 'container.log' : `container.log.${number}`));
    if (file === undefined) continue;
    if (files.has(file.inode)) file.close();
    else files.set(file.inode, file);
  }
  return [...files.values()].reverse();
}

/** The files that were begun after this one, oldest first: usually none, or one. */
export function openNewer(id: string, file: LogFile): LogFile[] {
  const files = openLogFiles(id);
  const at = files.findIndex(({ inode }) => inode === file.inode);
  // It is not there any more where it was rotated away altogether: then all of them are newer.
  for (const older of files.slice(0, at + 1)) older.close();
  return files.slice(at + 1);
}

function lastNumber(id: string): number {
  let entries: string[];
  try {
    entries = readdirSync(logDirectory(id));
  } catch {
    return 0;
  }
  const numbers = entries.map((name) => Number(/^container\.log\.(\d{1,4})$/.exec(name)?.[1] ?? 0));
  return Math.max(0, ...numbers);
}

function tryOpen(path: string): LogFile | undefined {
  try {
    return new LogFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
