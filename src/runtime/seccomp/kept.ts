import type { Seccomp } from '../spec.ts';
import { filterFlags } from './actions.ts';
import { cachedFilterFile, readFilter, writeFilter } from './cache.ts';
import { compileSeccomp, type Filter } from './compile.ts';

/**
 * Part of every kept filter's name. To be raised with each change of the compiler, the system call table or the default profile that
 * changes a filter; a test compares digests and says so.
 */
export const REVISION = 1;

/** The filter of any profile, kept under the digest of the profile. */
export function seccompFilter(seccomp: Seccomp): Filter {
  // Loading node:crypto takes 2 ms, which the default profile need not pay.
  const { createHash } = process.getBuiltinModule('node:crypto');
  const digest = createHash('sha256')
    .update(`${REVISION} ${process.arch} ${canonical(seccomp)}`)
    .digest('hex');
  const kept = readFilter(cachedFilterFile(digest));
  if (kept !== undefined) return { filter: kept, flags: filterFlags(seccomp) };
  const compiled = compileSeccomp(seccomp);
  writeFilter(cachedFilterFile(digest), compiled.filter);
  return compiled;
}

/** JSON with the keys in order, so that equal profiles have equal text. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part) => {
    if (typeof part === 'bigint') return `${part}n`;
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
