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

/** All that are there, oldest first. While they are opened they may be renamed, hence by inode, each once. */
export function openLogFiles(id: string): LogFile[] {
  const files = new Map<number, LogFile>();
  for (const name of names(id)) {
    const file = tryOpen(join(logDirectory(id), name));
    if (file === undefined) continue;
    if (files.has(file.inode)) file.close();
    else files.set(file.inode, file);
  }
  return [...files.values()];
}

/** The files that were begun after this one, oldest first: usually none, or one. */
export function openNewer(id: string, file: LogFile): LogFile[] {
  const files = openLogFiles(id);
  const at = files.findIndex(({ inode }) => inode === file.inode);
  // It is not there any more where it was rotated away altogether: then all of them are newer.
  for (const older of files.slice(0, at + 1)) older.close();
  return files.slice(at + 1);
}

function names(id: string): string[] {
  let entries: string[];
  try {
    entries = readdirSync(logDirectory(id));
  } catch {
    return [];
  }
  return entries
    .filter((name) => /^container\.log(\.\d+)?$/.test(name))
    .sort((a, b) => numberOf(b) - numberOf(a));
}

const numberOf = (name: string) => Number(/\d+$/.exec(name)?.[0] ?? 0);

function tryOpen(path: string): LogFile | undefined {
  try {
    return new LogFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
