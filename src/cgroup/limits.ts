import { badLimit, integer, limitOrMax } from './bounds.ts';
import { cpuWrites } from './limit-cpu.ts';
import { ioWrites } from './limit-io.ts';
import { memoryWrites } from './limit-memory.ts';
import { unifiedWrites } from './limit-unified.ts';
import type { LimitWrite } from './limit-write.ts';
import type { Resources } from './resources.ts';

/**
 * OCI resources, which are in terms of cgroup v1, as files of cgroup v2, in an order in which they can be written.
 *
 * What is absent, and the numbers that the specification and Docker take for "not set" (0), give nothing. "Unlimited" (-1) gives `max`.
 *
 * @throws {TsboxError} BAD_LIMIT for a value that no kernel takes, with the limit's name; LIMIT_UNAVAILABLE for what v2 does not have
 */
export function limitWrites(resources: Resources): LimitWrite[] {
  return [
    ...memoryWrites(resources.memory),
    ...cpuWrites(resources.cpu),
    ...pidsWrites(resources.pids),
    ...ioWrites(resources.blockIO),
    // Last, so that a v2 file asked for by name wins over a converted value.
    ...unifiedWrites(resources.unified),
  ];
}

/** The controllers that the writes need, each once. */
export function controllersOf(writes: readonly LimitWrite[]): string[] {
  return [...new Set(writes.map((write) => write.controller))].filter((name) => name !== 'cgroup');
}

function pidsWrites(pids: Resources['pids']): LimitWrite[] {
  if (pids?.limit === undefined) return [];
  const limit = 'the limit of processes';
  integer(pids.limit, limit);
  if (pids.limit > PID_MAX_LIMIT) badLimit(limit, pids.limit, `at most ${PID_MAX_LIMIT}`);
  // Docker's two ways to say "no limit" are -1 and 0; a group of cgroup v2 that may have no process at all would be of no use.
  const value = pids.limit === 0 ? 'max' : limitOrMax(pids.limit, limit);
  return [{ file: 'pids.max', value, controller: 'pids', limit }];
}

/** linux/threads.h; pids.max refuses more. */
const PID_MAX_LIMIT = 4_194_304;
