import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { hostname } from 'node:os';

/**
 * What the engine asks the host while it turns options into a specification. Everything is asked lazily, and through this
 * interface, so that a test (or a plan for another machine) can give answers of its own.
 */
export interface Host {
  hostname(): string;
  workingDirectory(): string;
  /** A variable of this process's own environment. */
  environment(name: string): string | undefined;
  /** The text of a file; undefined where there is none or it cannot be read. */
  readText(path: string): string | undefined;
  /** What a path leads to, symbolic links followed; undefined where it leads nowhere. */
  status(path: string): FileStatus | undefined;
  /** The names in a directory, sorted; none where it cannot be read. */
  list(path: string): string[];
  /** The path without symbolic links; undefined where it leads nowhere. */
  realPath(path: string): string | undefined;
  exists(path: string): boolean;
}

export interface FileStatus {
  type: 'file' | 'directory' | 'character' | 'block' | 'fifo' | 'socket';
  /** Permission bits only. */
  mode: number;
  uid: number;
  gid: number;
  /** Of a device; 0 otherwise. */
  major: number;
  minor: number;
}

/** The machine this process runs on. */
export const thisHost: Host = {
  hostname,
  workingDirectory: () => process.cwd(),
  environment: (name) => process.env[name],
  readText: (path) => attempt(() => readFileSync(path, 'utf8')),
  status: (path) => attempt(() => fileStatus(path)),
  list: (path) => attempt(() => readdirSync(path).sort()) ?? [],
  realPath: (path) => attempt(() => realpathSync(path)),
  exists: existsSync,
};

function fileStatus(path: string): FileStatus | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return undefined;
  const type = found.isFile()
    ? 'file'
    : found.isDirectory()
      ? 'directory'
      : found.isCharacterDevice()
        ? 'character'
        : found.isBlockDevice()
          ? 'block'
          : found.isFIFO()
            ? 'fifo'
            : 'socket';
  return { type, mode: found.mode & 0o7777, uid: found.uid, gid: found.gid, ...deviceNumbers(found.rdev) };
}

/** makedev(3): Linux has 12 bits of major and 20 of minor, so that the low 32 bits of stat(2)'s number hold them all. */
export function deviceNumbers(rdev: number): { major: number; minor: number } {
  return { major: (rdev >>> 8) & 0xfff, minor: (rdev & 0xff) | ((rdev >>> 12) & 0xfff00) };
}

function attempt<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch {
    return undefined;
  }
}
