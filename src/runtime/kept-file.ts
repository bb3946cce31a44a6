import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  futimesSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** What is in a file: text, with a container's id in it, and a plan laid out in memory for address 0. */
export interface KeptFile {
  id: string;
  text: string;
  arena: Buffer;
}

/**
 * Undefined unless all of it is as it was written: whose file it is and who could write to it is asked of the opened file, because a plan is
 * system calls that root makes; and the content is there twice, and equal, because a damaged one would make others.
 */
export function readKept(file: string): KeptFile | undefined {
  let fd: number | undefined;
  try {
    if (!isPrivate(lstatSync(dirname(file)), 0o700)) return undefined;
    fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW);
    const stat = fstatSync(fd);
    if (!stat.isFile() || !isPrivate(stat, 0o600) || stat.size > LARGEST) return undefined;
    const both = Buffer.allocUnsafeSlow(stat.size);
    if (readSync(fd, both, 0, both.length, 0) !== both.length) return undefined;
    const half = both.length / 2;
    if (both.compare(both, half, both.length, 0, half) !== 0) return undefined;
    const end = both.indexOf(10);
    const [, id, length] =
      /^tsbox-plan ([0-9a-f]{64}) (\d{1,8})$/.exec(both.toString('latin1', 0, end)) ?? [];
    if (id === undefined) return undefined;
    const text = end + 1 + Number(length);
    // A plan lives in memory of its own, on a multiple of 16.
    const arena = Buffer.from(new ArrayBuffer(half - text));
    both.copy(arena, 0, text, half);
    noteUse(fd, stat.mtimeMs);
    return { id, text: both.toString('utf8', end + 1, text), arena };
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** Complete or not at all. */
export function writeKept(file: string, { id, text, arena }: KeptFile): void {
  const bytes = Buffer.from(text);
  const half = Buffer.concat([Buffer.from(`tsbox-plan ${id} ${bytes.length}\n`), bytes, arena]);
  if (2 * half.length > LARGEST) return;
  const aside = join(dirname(file), `.${basename(file)}.${process.pid}`);
  const fd = openSync(aside, 'wx', 0o600);
  try {
    if (writeSync(fd, half) + writeSync(fd, half) !== 2 * half.length) throw new Error('disk full');
    fsyncSync(fd);
    renameSync(aside, file);
  } catch (error) {
    unlinkSync(aside);
    throw error;
  } finally {
    closeSync(fd);
  }
}

/** An empty file says that this was there once. Those go that were not used for longest, so that there are never many. */
export function noteSeen(file: string): void {
  const directory = dirname(file);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    closeSync(openSync(file, 'wx', 0o600));
  }
  const names = readdirSync(directory);
  if (names.length <= MOST) return;
  const ages = names.map((name) => {
    const path = join(directory, name);
    return { path, time: statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 };
  });
  ages.sort((a, b) => a.time - b.time);
  for (const { path } of ages.slice(0, names.length - MOST / 2)) unlinkSync(path);
}

/** Of many, those go first that nobody has used for long. Its own time of use (atime) is not kept by every file system. */
function noteUse(fd: number, last: number): void {
  const now = Date.now();
  if (now - last > OFTEN) futimesSync(fd, now / 1000, now / 1000);
}

function isPrivate({ uid, mode }: { uid: number; mode: number }, wanted: number): boolean {
  return uid === process.geteuid?.() && (mode & 0o7777) === wanted;
}

const MOST = 64;
/** Milliseconds. */
const OFTEN = 60_000;
const LARGEST = 4 * 1024 * 1024;
