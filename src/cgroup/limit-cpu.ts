import { badLimit, integer, within } from './bounds.ts';
import type { LimitWrite } from './limit-write.ts';
import type { Resources } from './resources.ts';

/** `quota`, `period` → cpu.max; `burst` → cpu.max.burst; `shares` → cpu.weight; `idle` → cpu.idle; `cpus`, `mems` → cpuset. */
export function cpuWrites(cpu: Resources['cpu']): LimitWrite[] {
  if (cpu === undefined) return [];
  return [...timeWrites(cpu), ...weightWrites(cpu), ...cpusetWrites(cpu)];
}

type Cpu = NonNullable<Resources['cpu']>;

function timeWrites({ quota, period, burst }: Cpu): LimitWrite[] {
  const writes: LimitWrite[] = [];
  const limit = 'the CPU quota';
  if (quota || period) {
    if (period) within(period, 1_000, 1_000_000, 'the CPU period', ' microseconds');
    if (quota !== undefined && quota !== -1 && quota !== 0) {
      integer(quota, limit);
      // min_cfs_quota_period in kernel/sched/core.c; below it the kernel answers EINVAL.
      if (quota < 1_000) badLimit(limit, quota, 'at least 1000 microseconds, or -1 for unlimited');
    }
    const time = quota && quota > 0 ? quota : 'max';
    writes.push({ file: 'cpu.max', value: `${time} ${period || 100_000}`, controller: 'cpu', limit });
  }
  if (burst) {
    const name = 'the CPU burst';
    integer(burst, name);
    if (!quota || quota < 0) badLimit(name, burst, 'given together with a CPU quota');
    if (burst < 0 || burst > quota) badLimit(name, burst, `from 0 to the CPU quota, ${quota} microseconds`);
    // After cpu.max: the kernel compares the two.
    writes.push({ file: 'cpu.max.burst', value: String(burst), controller: 'cpu', limit: name });
  }
  return writes;
}

function weightWrites({ shares, idle }: Cpu): LimitWrite[] {
  if (idle !== undefined) within(idle, 0, 1, 'cpu.idle');
  // An idle group has the least weight of all, and the kernel refuses to give it another (EINVAL).
  if (idle === 1) return [{ file: 'cpu.idle', value: '1', controller: 'cpu', limit: 'cpu.idle' }];
  if (!shares) return [];
  const limit = 'the CPU shares';
  integer(shares, limit);
  if (shares < 0) badLimit(limit, shares, 'positive');
  return [{ file: 'cpu.weight', value: String(sharesToWeight(shares)), controller: 'cpu', limit }];
}

/**
 * v1's 2 to 262144 (default 1024) to v2's 1 to 10000 (default 100): the curve through those three points, in logarithms. What lies outside
 * is clamped, as v1 did.
 *
 * Older runtimes used a straight line, which gave the default of 1024 shares a weight of 39. Source: opencontainers/cgroups, pull
 * request 20 (runc from 1.3.2); crun, pull request 1767 (crun from 1.23).
 */
function sharesToWeight(shares: number): number {
  if (shares <= 2) return 1;
  if (shares >= 262_144) return 10_000;
  const log = Math.log2(shares);
  return Math.ceil(10 ** ((log * log + 125 * log) / 612 - 7 / 34));
}

function cpusetWrites({ cpus, mems }: Cpu): LimitWrite[] {
  const writes: LimitWrite[] = [];
  for (const [file, list, limit] of [
    ['cpuset.cpus', cpus, 'the list of CPUs'],
    ['cpuset.mems', mems, 'the list of memory nodes'],
  ] as const) {
    if (!list) continue;
    if (typeof list !== 'string' || list.length > 4096 || parseList(list) === undefined) {
      badLimit(limit, list, 'numbers and ranges, like 0-2,4');
    }
    writes.push({ file, value: list, controller: 'cpuset', limit });
  }
  return writes;
}

/** `0-2,4` as [[0, 2], [4, 4]]; undefined where it is no such list. Source: cpuset(7), "List format". */
export function parseList(list: string): [first: number, last: number][] | undefined {
  const ranges: [number, number][] = [];
  for (const part of list.trim().split(',')) {
    const match = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(part);
    if (match === null) return undefined;
    const first = Number(match[1]);
    const last = Number(match[2] ?? match[1]);
    if (last < first) return undefined;
    ranges.push([first, last]);
  }
  return ranges;
}
