import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { packageRoot } from '../../kernel/native.ts';
import { storeRoot } from '../../kernel/store-root.ts';

/** Where compiled filters are kept. */
export function cachedFilterFile(name: string): string {
  return join(storeRoot(), 'cache', 'seccomp', `${name}.bpf`);
}

/**
 * A filter that the build made (scripts/precompile-seccomp.mjs). Like the rest of the package it is taken as it is: looking
 * through it would take half a millisecond of every start.
 */
export function readShippedFilter(name: string): Buffer | undefined {
  try {
    return readFileSync(join(packageRoot(), 'dist', 'seccomp', `${name}.bpf`));
  } catch {
    return undefined;
  }
}

/** A filter that was kept; undefined where there is none, or one that the kernel would not take. */
export function readFilter(file: string): Buffer | undefined {
  try {
    const filter = readFileSync(file);
    return isFilter(filter) ? filter : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Keeps a filter: written aside and renamed, so that a reader sees all of it or nothing. A cache that cannot be written (a full disk, a
 * read-only root) costs time, not the container, so that is no error.
 */
export function writeFilter(file: string, filter: Buffer): void {
  const aside = `${file}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(aside, filter, { mode: 0o600, flag: 'wx' });
    renameSync(aside, file);
  } catch {
    try {
      rmSync(aside, { force: true });
    } catch {
      // Then it was never made: `force` leaves out ENOENT, but not ENOTDIR or EROFS.
    }
  }
}

const RET_K = 0x06;
const JA = 0x05;
const CLASS_JMP = 0x05;
const MAX_BYTES = 8 * 4096;

/**
 * Whether it is a whole program: every jump lands in it, and it ends with a return. After a crash a file can be there without its bytes,
 * or with zeros for them.
 */
export function isFilter(filter: Buffer): boolean {
  if (filter.length === 0 || filter.length % 8 !== 0 || filter.length > MAX_BYTES) return false;
  const count = filter.length / 8;
  // `struct sock_filter`: 16 bits of code, 8 of distance if true, 8 if false, 32 of value. Buffer's readers would take 3 ms here.
  const words = new Uint32Array(new Uint8Array(filter).buffer);
  for (let index = 0; index < count; index++) {
    const first = words[2 * index] as number;
    const code = first & 0xffff;
    const furthest =
      code === JA
        ? (words[2 * index + 1] as number)
        : (code & 0x07) === CLASS_JMP
          ? Math.max((first >>> 16) & 0xff, first >>> 24)
          : 0;
    if (index + 1 + furthest > count - (code === RET_K ? 0 : 1)) return false;
  }
  return true;
}
