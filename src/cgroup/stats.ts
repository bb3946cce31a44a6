import { readFileSync } from 'node:fs';

/** What a group has used. A part is absent where its controller is not enabled for the group; `max` is the kernel's word for "no limit". */
export interface CgroupStats {
  /** Microseconds of processor time. `cpu.stat` is there even without the controller; what is about throttling is not. */
  cpu?: {
    usageUsec: number;
    userUsec: number;
    systemUsec: number;
    periods?: number;
    throttledPeriods?: number;
    throttledUsec?: number;
  };
  /** Bytes. `peak` needs Linux 5.19. */
  memory?: {
    current: number;
    /** Of `current`: file content that was not used lately, and that the kernel drops as soon as the memory is wanted. */
    inactiveFile: number;
    peak?: number;
    limit?: number | 'max';
    swapCurrent?: number;
    swapLimit?: number | 'max';
    /** How often: the limit was hit and could not be met by reclaim (`oom`), and a process was killed for it (`oomKill`). */
    events: { low: number; high: number; max: number; oom: number; oomKill: number };
  };
  pids?: { current: number; limit?: number | 'max' };
  io?: {
    major: number;
    minor: number;
    readBytes: number;
    writeBytes: number;
    reads: number;
    writes: number;
  }[];
  /** How much time was lost waiting for each (PSI); absent where the kernel was built or booted without it. */
  pressure?: { cpu?: Pressure; memory?: Pressure; io?: Pressure };
}

/** Averages are per cent of the last 10, 60 and 300 seconds. `full`: no process could run. Source: Documentation/accounting/psi.rst. */
export interface Pressure {
  some: { avg10: number; avg60: number; avg300: number; totalUsec: number };
  full?: { avg10: number; avg60: number; avg300: number; totalUsec: number };
}

/** Reads everything at once. A group that is not there any more has no statistics: `{}`. */
export function readStats(path: string): CgroupStats {
  const stats: CgroupStats = {};
  const assign = <K extends keyof CgroupStats>(key: K, value: CgroupStats[K]) => {
    if (value !== undefined) stats[key] = value;
  };
  // What a controller counts is there where it is enabled (cgroups(7)): asking for files that are not takes longer than reading those that are.
  const enabled = text(path, 'cgroup.controllers')?.trim().split(' ') ?? [];
  assign('cpu', cpu(path));
  if (enabled.includes('memory')) assign('memory', memory(path));
  if (enabled.includes('pids')) assign('pids', pids(path));
  if (enabled.includes('io')) assign('io', io(path));
  assign('pressure', pressure(path));
  return stats;
}

/** How many processes of the group, or of groups below it, were killed because its memory limit, or the machine's memory, was used up. */
export function oomKills(path: string): number {
  return keyed(path, 'memory.events')?.oom_kill ?? 0;
}

function cpu(path: string): CgroupStats['cpu'] {
  const stat = keyed(path, 'cpu.stat');
  if (stat === undefined) return undefined;
  return {
    usageUsec: stat.usage_usec ?? 0,
    userUsec: stat.user_usec ?? 0,
    systemUsec: stat.system_usec ?? 0,
    ...(stat.nr_periods === undefined ? {} : { periods: stat.nr_periods }),
    ...(stat.nr_throttled === undefined ? {} : { throttledPeriods: stat.nr_throttled }),
    ...(stat.throttled_usec === undefined ? {} : { throttledUsec: stat.throttled_usec }),
  };
}

function memory(path: string): CgroupStats['memory'] {
  const current = number(path, 'memory.current');
  if (typeof current !== 'number') return undefined;
  const events = keyed(path, 'memory.events') ?? {};
  const peak = number(path, 'memory.peak');
  const limit = number(path, 'memory.max');
  const swapCurrent = number(path, 'memory.swap.current');
  const swapLimit = number(path, 'memory.swap.max');
  return {
    current,
    inactiveFile: keyed(path, 'memory.stat')?.inactive_file ?? 0,
    ...(typeof peak === 'number' ? { peak } : {}),
    ...(limit === undefined ? {} : { limit }),
    ...(typeof swapCurrent === 'number' ? { swapCurrent } : {}),
    ...(swapLimit === undefined ? {} : { swapLimit }),
    events: {
      low: events.low ?? 0,
      high: events.high ?? 0,
      max: events.max ?? 0,
      oom: events.oom ?? 0,
      oomKill: events.oom_kill ?? 0,
    },
  };
}

function pids(path: string): CgroupStats['pids'] {
  const current = number(path, 'pids.current');
  const limit = number(path, 'pids.max');
  return typeof current === 'number' ? { current, ...(limit === undefined ? {} : { limit }) } : undefined;
}

/** `8:16 rbytes=1459200 wbytes=314773504 rios=192 wios=353 dbytes=0 dios=0`. A device that did nothing may have no values. */
function io(path: string): CgroupStats['io'] {
  return text(path, 'io.stat')
    ?.split('\n')
    .flatMap((line) => {
      const [, major, minor, rest] = /^(\d+):(\d+) (.+)$/.exec(line) ?? [];
      if (rest === undefined) return [];
      const value = (key: string) => Number(new RegExp(`(?:^| )${key}=(\\d+)`).exec(rest)?.[1] ?? 0);
      return {
        major: Number(major),
        minor: Number(minor),
        readBytes: value('rbytes'),
        writeBytes: value('wbytes'),
        reads: value('rios'),
        writes: value('wios'),
      };
    });
}

function pressure(path: string): CgroupStats['pressure'] {
  const all: NonNullable<CgroupStats['pressure']> = {};
  for (const resource of ['cpu', 'memory', 'io'] as const) {
    const lines = text(path, `${resource}.pressure`);
    const some = lines === undefined ? undefined : pressureLine(lines, 'some');
    const full = lines === undefined ? undefined : pressureLine(lines, 'full');
    if (some !== undefined) all[resource] = { some, ...(full === undefined ? {} : { full }) };
  }
  return Object.keys(all).length === 0 ? undefined : all;
}

function pressureLine(lines: string, which: 'some' | 'full'): Pressure['some'] | undefined {
  const match = new RegExp(
    `^${which} avg10=([\\d.]+) avg60=([\\d.]+) avg300=([\\d.]+) total=(\\d+)$`,
    'm',
  ).exec(lines);
  if (match === null) return undefined;
  const [avg10, avg60, avg300, totalUsec] = match.slice(1).map(Number) as [number, number, number, number];
  return { avg10, avg60, avg300, totalUsec };
}

/** A flat keyed file: `name value` lines. */
function keyed(path: string, file: string): Record<string, number> | undefined {
  const lines = text(path, file)?.split('\n').filter(Boolean);
  return (
    lines &&
    Object.fromEntries(lines.map((line) => line.split(' ')).map(([key, value]) => [key, Number(value)]))
  );
}

function number(path: string, file: string): number | 'max' | undefined {
  const value = text(path, file)?.trim();
  return value === undefined || value === 'max' ? value : Number(value);
}

/** Undefined where the kernel, the controller or the group is not there: ENOENT, ENODEV for a group just removed, EOPNOTSUPP for PSI that is off. */
function text(path: string, file: string): string | undefined {
  try {
    // One call of Node's own, other than with any other encoding.
    return readFileSync(`${path}/${file}`, 'utf8');
  } catch {
    return undefined;
  }
}
