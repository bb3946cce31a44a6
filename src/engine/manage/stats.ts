import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { type CgroupStats, readStats } from '../../cgroup/index.ts';
import { findContainer } from '../find-container.ts';
import type { ContainerRecord } from '../record.ts';
import { listContainers } from '../records.ts';
import { countThreads } from './processes.ts';

/** What one container uses at one moment. What the host does not count is absent. */
export interface ContainerSample {
  id: string;
  name: string;
  running: boolean;
  /** Per cent of one processor since the sample before; with two processors at most 200. */
  cpuPercent: number;
  /** Bytes, without file content that the kernel would drop if the memory was wanted. */
  memory?: { usage: number; limit: number; percent: number };
  /** Bytes, of all interfaces but loopback; absent where it has the host's network. */
  network?: { received: number; sent: number };
  /** Bytes. */
  block?: { read: number; written: number };
  /** Processes and threads. */
  pids: number;
  /** Everything that its cgroup counts, throttling and pressure too. */
  cgroup: CgroupStats;
}

export interface SampleOptions {
  /** Also those that do not run. Default false. */
  all?: boolean;
  /** Milliseconds between two samples. Default 1000. */
  interval?: number;
  /** Ends the iteration. */
  signal?: AbortSignal;
}

/**
 * Samples of containers, all read at one moment, again and again. The first ones come after one interval, since processor time is counted
 * between two moments.
 *
 * @param references none for all that run, also those that are started later
 * @throws {TsboxError} NO_CONTAINER, AMBIGUOUS_ID
 */
export async function* sampleContainers(
  references: readonly string[] = [],
  options: SampleOptions = {},
): AsyncGenerator<ContainerSample[]> {
  const { interval = 1000, signal } = options;
  const chosen = references.length > 0 ? references.map((each) => findContainer(each).id) : undefined;
  let before = read(chosen, options.all);
  for (;;) {
    await sleep(interval, signal);
    if (signal?.aborted) return;
    const now = read(chosen, options.all);
    const earlier = new Map(before.map((each) => [each.record.id, each]));
    yield now.map((each) => toSample(each, earlier.get(each.record.id)));
    before = now;
  }
}

interface Reading {
  record: ContainerRecord;
  running: boolean;
  /** Microseconds on a clock that never jumps. */
  moment: number;
  stats: CgroupStats;
  network: ContainerSample['network'];
  threads: number;
}

function read(chosen: readonly string[] | undefined, all = false): Reading[] {
  return listContainers()
    .filter((record) => (chosen === undefined ? all || isRunning(record) : chosen.includes(record.id)))
    .map((record) => {
      const running = isRunning(record) && record.cgroup !== undefined;
      const stats = running ? readStats(record.cgroup as string) : {};
      return {
        ...{ record, running, stats, moment: performance.now() * 1000 },
        network: running ? networkOf(record) : undefined,
        threads: running ? (stats.pids?.current ?? countThreads(record.cgroup as string)) : 0,
      };
    });
}

function isRunning({ status }: ContainerRecord): boolean {
  return status === 'running' || status === 'paused';
}

function toSample(now: Reading, before: Reading | undefined): ContainerSample {
  const { record, running, stats, network, threads } = now;
  const { memory, io } = stats;
  const used = (stats.cpu?.usageUsec ?? 0) - (before?.stats.cpu?.usageUsec ?? stats.cpu?.usageUsec ?? 0);
  const time = before === undefined ? 0 : now.moment - before.moment;
  const sum = (key: 'readBytes' | 'writeBytes') => (io ?? []).reduce((total, each) => total + each[key], 0);
  return {
    ...{ id: record.id, name: record.name, running },
    // Less than nothing: it was started again in between, in a new group.
    cpuPercent: time > 0 ? Math.max(0, (100 * used) / time) : 0,
    ...(memory && { memory: memoryOf(memory) }),
    ...(network && { network }),
    ...(io && { block: { read: sum('readBytes'), written: sum('writeBytes') } }),
    pids: threads,
    cgroup: stats,
  };
}

function memoryOf(memory: NonNullable<CgroupStats['memory']>): NonNullable<ContainerSample['memory']> {
  const usage = Math.max(0, memory.current - memory.inactiveFile);
  const limit = typeof memory.limit === 'number' ? Math.min(memory.limit, totalmem()) : totalmem();
  return { usage, limit, percent: limit > 0 ? (100 * usage) / limit : 0 };
}

/** Of the network namespace that its PID 1 is in. proc_pid_net(5) */
function networkOf({ pid, options }: ContainerRecord): ContainerSample['network'] {
  if (pid === undefined || options?.network === 'host') return undefined;
  try {
    const sum = { received: 0, sent: 0 };
    for (const line of readFileSync(`/proc/${pid}/net/dev`, 'latin1').split('\n').slice(2)) {
      const [name = '', numbers = ''] = line.split(':');
      const counts = numbers.trim().split(/\s+/).map(Number);
      if (name.trim() === 'lo' || counts.length < 9) continue;
      sum.received += counts[0] as number;
      sum.sent += counts[8] as number;
    }
    return sum;
  } catch {
    return undefined; // it has just ended
  }
}

function sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal?.addEventListener('abort', done);
  });
}
