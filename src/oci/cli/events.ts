import { type CgroupStats, readStats } from '../../cgroup/stats.ts';
import { failure, readState, statusOf } from '../state.ts';
import type { Call } from './call.ts';
import { expect, parseFlags } from './flags.ts';
import { print } from './print.ts';

/** A line of JSON with what the container uses, once (`--stats`) or again and again; and one for each time that a process was killed for memory. */
export async function events({ place, args }: Call): Promise<undefined> {
  const { flags, rest } = parseFlags(args, { stats: 'bool', interval: 'string' });
  const [id = ''] = expect(rest, ['container-id']);
  const state = readState(place, id);
  const interval = milliseconds(flags.string('interval') ?? '5s');
  if (statusOf(place, state) === 'stopped')
    throw failure('NOT_RUNNING', `container with id ${id} is not running`);
  let kills = 0;
  for (;;) {
    const stats = readStats(state.cgroup);
    const now = stats.memory?.events.oomKill ?? 0;
    if (now > kills) tell({ type: 'oom', id });
    kills = now;
    tell({ type: 'stats', id, data: asRunc(stats) });
    if (flags.is('stats')) return;
    await new Promise((resolve) => setTimeout(resolve, interval));
    if (statusOf(place, state) === 'stopped') return;
  }
}

const tell = (event: object) => print(`${JSON.stringify(event)}\n`);

function milliseconds(text: string): number {
  const [, digits, unit] = /^(\d{1,6})(ms|s|m|h)$/.exec(text) ?? [];
  const factor = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[unit ?? ''];
  if (digits === undefined || factor === undefined || Number(digits) === 0)
    throw failure('BAD_OPTION', `--interval: expected a duration such as 5s, found ${JSON.stringify(text)}`);
  return Number(digits) * factor;
}

/** In runc's terms, which are cgroup v1's: times in nanoseconds, 2^64-1 rounded for no limit. */
function asRunc({ cpu, memory, pids, io = [] }: CgroupStats): object {
  const limit = (value: number | 'max' | undefined) => (typeof value === 'number' ? value : 0);
  const entries = (op: string, key: 'readBytes' | 'writeBytes' | 'reads' | 'writes') =>
    io.map((device) => ({ major: device.major, minor: device.minor, op, value: device[key] }));
  return {
    cpu: {
      usage: {
        total: (cpu?.usageUsec ?? 0) * 1000,
        kernel: (cpu?.systemUsec ?? 0) * 1000,
        user: (cpu?.userUsec ?? 0) * 1000,
      },
      throttling: {
        periods: cpu?.periods ?? 0,
        throttledPeriods: cpu?.throttledPeriods ?? 0,
        throttledTime: (cpu?.throttledUsec ?? 0) * 1000,
      },
    },
    memory: memory
      ? {
          usage: {
            usage: memory.current,
            limit: limit(memory.limit),
            max: memory.peak ?? 0,
            failcnt: memory.events.max,
          },
          swap: { usage: limit(memory.swapCurrent), limit: limit(memory.swapLimit), failcnt: 0 },
          raw: {
            inactive_file: memory.inactiveFile,
            oom: memory.events.oom,
            oom_kill: memory.events.oomKill,
          },
        }
      : {},
    pids: pids ? { current: pids.current, limit: limit(pids.limit) } : {},
    blkio: {
      ioServiceBytesRecursive: [...entries('Read', 'readBytes'), ...entries('Write', 'writeBytes')],
      ioServicedRecursive: [...entries('Read', 'reads'), ...entries('Write', 'writes')],
    },
  };
}
