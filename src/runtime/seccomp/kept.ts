import { readFileSync } from 'node:fs';
import { sumOf } from '../../kernel/sum.ts';
import { toJson } from '../../kernel/to-json.ts';
import type { Seccomp } from '../spec.ts';
import { filterFlags } from './actions.ts';
import { cachedFilterFile, isFilter, writeFilter } from './cache.ts';
import { compileSeccomp, type Filter } from './compile.ts';

/**
 * Part of every kept filter's name. To be raised with each change of the compiler, the system call table or the default profile that
 * changes a filter; a test compares digests and says so.
 */
export const REVISION = 1;

/** The filter of any profile, kept beside the profile's own text, which is compared whole: its name is a short sum. */
export function seccompFilter(seccomp: Seccomp): Filter {
  const kept = keptFilter(seccomp);
  if (kept !== undefined) return { filter: kept, flags: filterFlags(seccomp) };
  const compiled = compileSeccomp(seccomp);
  const text = textOf(seccomp);
  const length = Buffer.alloc(LENGTH);
  length.writeUInt32LE(compiled.filter.length);
  writeFilter(fileOf(text), Buffer.concat([length, compiled.filter, text]));
  return compiled;
}

/** Whether this very text was checked and compiled before: whatever is checked of it has passed then. */
export function wasCompiled(value: unknown): value is Seccomp {
  return typeof value === 'object' && value !== null && keptFilter(value) !== undefined;
}

/** Looked for once: who asks whether it was compiled is going to need it. */
function keptFilter(profile: object): Buffer | undefined {
  const there = found.get(profile);
  if (there !== undefined) return there;
  const text = textOf(profile);
  const filter = readKept(fileOf(text), text);
  if (filter !== undefined) found.set(profile, filter);
  return filter;
}

const found = new WeakMap<object, Buffer>();

/** After a crash a file can be there without its bytes, or with zeros for them: both parts are looked at. */
function readKept(file: string, text: Buffer): Buffer | undefined {
  try {
    const kept = readFileSync(file);
    const end = LENGTH + kept.readUInt32LE();
    const filter = kept.subarray(LENGTH, end);
    return end <= kept.length && text.equals(kept.subarray(end)) && isFilter(filter) ? filter : undefined;
  } catch {
    return undefined;
  }
}

/** All that the filter depends on. */
function textOf(profile: object): Buffer {
  return Buffer.from(`${REVISION} ${process.arch} ${toJson(profile, (number) => `${number}n`)}\n`);
}

/** Where two profiles have the same sum, one of them is compiled each time. */
function fileOf(text: Buffer): string {
  return cachedFilterFile(`profile-${sumOf(text)}`);
}

const LENGTH = 4;
