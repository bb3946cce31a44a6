import { closeSync, constants, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { Errno, syscall } from '../../kernel/index.ts';
import { containersDirectory } from '../paths.ts';

/** How a container ended, as the monitor writes it down: before anything else can see the container as dead. */
export interface Exit {
  /** 0 to 255; 128+n for signal n. */
  code: number;
  /** 0 for none. */
  signal: number;
  /** How many of its processes were killed for its memory. */
  oomKills: number;
  /** RFC 3339. */
  finished: string;
}

export function exitFile(id: string): string {
  return `${containersDirectory()}/${id}/${EXIT}`;
}

export const EXIT = 'exit';

/**
 * A new, empty one for a container that is about to start. Who waits for the start before has the old one open.
 *
 * @returns its descriptor, to be closed with closeSync
 */
export function makeExitFile(id: string): number {
  rmSync(exitFile(id), { force: true });
  const fd = openSync(exitFile(id), constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  // Room for its one line, so that a disk that is full by then cannot keep it out (fallocate(2), FALLOC_FL_KEEP_SIZE).
  const context = { doing: 'make the exit file', allow: [Errno.EOPNOTSUPP, Errno.ENOSYS] };
  try {
    syscall('fallocate', [fd, 1, 0, 128], context);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return fd;
}

/** What a container that tsbox itself was the parent of leaves for who waits for it. */
export function writeExit(id: string, exit: { code: number; oomKilled: boolean }): void {
  const nanoseconds = `${Date.now()}000000`;
  const signal = exit.code > 128 ? exit.code - 128 : 0;
  writeFileSync(exitFile(id), `${exit.code} ${signal} ${exit.oomKilled ? 1 : 0} ${nanoseconds}\n`);
}

/** Undefined where there is no such file, or nothing in it yet. @param file a path or descriptor */
export function readExit(file: string | number): Exit | undefined {
  try {
    // While it runs the file is empty, which is asked for a thousand at a time.
    if (typeof file === 'string' && !statSync(file, { throwIfNoEntry: false })?.size) return undefined;
    return parseExit(readFileSync(file, 'latin1'));
  } catch {
    return undefined;
  }
}

export function parseExit(text: string): Exit | undefined {
  const match = /^(\d{1,3}) (\d{1,3}) (\d{1,18}) (\d{1,13})(\d{6})\n/.exec(text);
  if (match === null) return undefined;
  const [code, signal, oomKills, milliseconds] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
  ];
  return { code, signal, oomKills, finished: new Date(milliseconds).toISOString() };
}
