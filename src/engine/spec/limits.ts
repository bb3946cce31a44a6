import type { Host } from '../host.ts';
import { parseUlimit, type Rlimit, unlimited } from '../options/index.ts';

/**
 * The resource limits asked for, of which the last of a kind wins, and one of our own: Node raises its soft limit of open files to the hard one when it starts, and
 * what it starts inherits that. Programs that use select(2), or close every descriptor they could have, want the customary 1024
 * (systemd's and Docker 29's default); the hard limit stays.
 *
 * @throws BAD_OPTION
 */
export function buildRlimits(ulimits: readonly string[], host: Host): Rlimit[] {
  const limits = new Map<string, Rlimit>();
  const hard = openFiles(host.readText('/proc/self/limits') ?? '');
  if (hard !== undefined) {
    const soft = hard === unlimited ? 1024 : Math.min(1024, hard);
    limits.set('RLIMIT_NOFILE', { type: 'RLIMIT_NOFILE', soft, hard });
  }
  for (const value of ulimits) {
    const limit = parseUlimit('--ulimit', value);
    limits.set(limit.type, limit);
  }
  return [...limits.values()];
}

/** The hard limit in proc_pid_limits(5). */
function openFiles(text: string): number | undefined {
  const hard = /^Max open files\s+\S+\s+(\d+|unlimited)/m.exec(text)?.[1];
  if (hard === undefined) return undefined;
  return hard === 'unlimited' ? unlimited : Number(hard);
}
