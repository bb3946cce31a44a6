import { badLimit, integer, within } from './bounds.ts';
import type { LimitWrite } from './limit-write.ts';
import type { Resources, ThrottleDevice } from './resources.ts';

/** `weight` → io.weight or io.bfq.weight; the four throttles → one io.max line a device. */
export function ioWrites(blockIO: Resources['blockIO']): LimitWrite[] {
  if (blockIO === undefined) return [];
  return [...weightWrites(blockIO.weight), ...throttleWrites(blockIO)];
}

/** v1's 10 to 1000 to v2's 1 to 10000, in whole numbers: 1 + (w − 10) × 9999 / 990. Source: crun(1), "cgroup v2". */
function weightWrites(weight: number | undefined): LimitWrite[] {
  if (!weight) return [];
  const limit = 'the block I/O weight';
  within(weight, 10, 1000, limit);
  const value = String(1 + Math.floor(((weight - 10) * 9999) / 990));
  // BFQ, the only scheduler besides io.cost to know weights, has a file of its own with v1's range (Documentation/block/bfq-iosched.rst).
  return [
    {
      file: 'io.weight',
      value,
      controller: 'io',
      limit,
      instead: { file: 'io.bfq.weight', value: String(weight) },
    },
  ];
}

/** The kernel takes one device in each write to io.max, and leaves the keys that are not mentioned as they are. */
function throttleWrites(blockIO: NonNullable<Resources['blockIO']>): LimitWrite[] {
  const lines = new Map<string, string[]>();
  for (const [key, devices] of [
    ['rbps', blockIO.throttleReadBpsDevice],
    ['wbps', blockIO.throttleWriteBpsDevice],
    ['riops', blockIO.throttleReadIOPSDevice],
    ['wiops', blockIO.throttleWriteIOPSDevice],
  ] as const) {
    for (const device of devices ?? []) {
      const name = deviceName(device);
      const limit = `the ${key} limit of device ${name}`;
      integer(device.rate, limit);
      if (device.rate < 0) badLimit(limit, device.rate, 'positive');
      const line = lines.get(name) ?? [];
      // The kernel has no "nothing at all" (ERANGE); in v1, 0 took the limit away.
      line.push(`${key}=${device.rate === 0 ? 'max' : device.rate}`);
      lines.set(name, line);
    }
  }
  return [...lines].map(([name, line]) => ({
    file: 'io.max',
    value: `${name} ${line.join(' ')}`,
    controller: 'io',
    limit: `the block I/O limit of device ${name}`,
  }));
}

function deviceName({ major, minor }: ThrottleDevice): string {
  within(major, 0, 4095, "the block device's major number");
  within(minor, 0, 1_048_575, "the block device's minor number");
  return `${major}:${minor}`;
}
