import { parseList } from '../../cgroup/limit-cpu.ts';
import type { LimitWrite } from '../../cgroup/limit-write.ts';
import type { Variant } from './marshal.ts';

/** A property of a unit: its name, and its value. */
export type Property = [name: string, value: Variant];

/**
 * Limits as the unit's own properties, as far as systemd has them: without, it would take them back when it loads its units anew. systemd.resource-control(5)
 */
export function limitProperties(writes: readonly LimitWrite[]): Property[] {
  return writes.flatMap(({ file, value }): Property[] => {
    if (file === 'cpu.max') return cpuQuota(value);
    if (file === 'cpuset.cpus') return [['AllowedCPUs', { signature: 'ay', value: bits(value) }]];
    if (file === 'cpuset.mems') return [['AllowedMemoryNodes', { signature: 'ay', value: bits(value) }]];
    const name = NAMES[file];
    return name === undefined ? [] : [[name, number(value === 'max' ? INFINITY : BigInt(value))]];
  });
}

const NAMES: Record<string, string | undefined> = {
  __proto__: null as never,
  'memory.max': 'MemoryMax',
  'memory.high': 'MemoryHigh',
  'memory.low': 'MemoryLow',
  'memory.min': 'MemoryMin',
  'memory.swap.max': 'MemorySwapMax',
  'cpu.weight': 'CPUWeight',
  'pids.max': 'TasksMax',
};

const INFINITY = 2n ** 64n - 1n;

export function number(value: bigint): Variant {
  return { signature: 't', value };
}

/** `quota period` as microseconds of a second, in steps of ten milliseconds a second, which is what systemd keeps. */
function cpuQuota(value: string): Property[] {
  const [quota = 'max', period = '100000'] = value.split(' ');
  const each = (BigInt(quota === 'max' ? 0 : quota) * 1_000_000n) / BigInt(period);
  const rounded = ((each + 9_999n) / 10_000n) * 10_000n;
  return [
    ['CPUQuotaPeriodUSec', number(BigInt(period))],
    ['CPUQuotaPerSecUSec', number(quota === 'max' ? INFINITY : rounded)],
  ];
}

function bits(list: string): Buffer {
  const ranges = parseList(list) ?? [];
  const bytes = Buffer.alloc(((ranges.reduce((most, [, last]) => Math.max(most, last), 0) >> 3) + 1) & 0x3ff);
  for (const [first, last] of ranges)
    for (let bit = first; bit <= last && bit >> 3 < bytes.length; bit++)
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (1 << (bit & 7));
  return bytes;
}
