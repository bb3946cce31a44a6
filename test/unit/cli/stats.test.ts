import { expect, test } from 'vitest';
import { rowOf } from '../../../src/cli/stats.ts';
import type { ContainerSample } from '../../../src/index.ts';

const pressure = (avg10: number) => ({ some: { avg10 } }) as never;
const sample: ContainerSample = {
  ...{ id: 'abcdef0123456789', name: 'web', running: true, cpuPercent: 12.345, pids: 3 },
  memory: { usage: 13 * 1024 * 1024, limit: 64 * 1024 * 1024, percent: 20.3125 },
  network: { received: 1_234_567, sent: 0 },
  block: { read: 4096, written: 8_000_000 },
  cgroup: {
    pressure: { cpu: pressure(1.25), memory: pressure(0), io: pressure(33.333) },
    cpu: { usageUsec: 1, userUsec: 1, systemUsec: 0, throttledUsec: 2_500_000 },
  },
};

test('numbers as Docker prints them', () => {
  expect(rowOf(sample, true)).toMatchObject({
    ID: 'abcdef012345',
    Name: 'web',
    CPUPerc: '12.35%',
    MemUsage: '13MiB / 64MiB',
    MemPerc: '20.31%',
    NetIO: '1.23MB / 0B',
    BlockIO: '4.1kB / 8MB',
    PIDs: '3',
    Throttled: '2.50s',
    CPUPressure: '1.25%',
    Pressure: '1.3% / 0.0% / 33.3%',
  });
  expect(rowOf(sample, false).ID).toBe('abcdef0123456789');
});

test('what is not counted, and what does not run, is --', () => {
  const { memory: _, network: __, block: ___, ...bare } = sample;
  expect(rowOf(bare, true)).toMatchObject({
    MemUsage: '--',
    MemPerc: '--',
    NetIO: '--',
    BlockIO: '--',
    PIDs: '3',
  });
  expect(rowOf({ ...sample, running: false }, true)).toMatchObject({
    ...{ CPUPerc: '--', MemUsage: '-- / --', MemPerc: '--', NetIO: '--', PIDs: '--', Pressure: '--' },
  });
});
