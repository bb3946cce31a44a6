import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { oomKills, readStats } from '../../../src/cgroup/stats.ts';

let path: string;
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'tsbox-stats-'));
});
afterEach(() => rmSync(path, { recursive: true }));

const files = (contents: Record<string, string>) => {
  for (const [name, text] of Object.entries(contents)) writeFileSync(join(path, name), text);
};

// The formats are those of Documentation/admin-guide/cgroup-v2.rst and accounting/psi.rst.
test('all that a group can have', () => {
  files({
    'cgroup.controllers': 'cpu memory io pids\n',
    'cpu.stat':
      'usage_usec 7654321\nuser_usec 7000000\nsystem_usec 654321\nnr_periods 40\nnr_throttled 12\nthrottled_usec 999\n',
    'memory.current': '1048576\n',
    'memory.stat': 'anon 4096\nfile 12288\ninactive_file 8192\nactive_file 0\n',
    'memory.peak': '2097152\n',
    'memory.max': '67108864\n',
    'memory.swap.current': '4096\n',
    'memory.swap.max': 'max\n',
    'memory.events': 'low 1\nhigh 2\nmax 3\noom 4\noom_kill 5\noom_group_kill 0\n',
    'pids.current': '3\n',
    'pids.max': 'max\n',
    'io.stat':
      '8:16 rbytes=1459200 wbytes=314773504 rios=192 wios=353 dbytes=0 dios=0\n8:0 \n254:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n',
    'memory.pressure':
      'some avg10=1.50 avg60=0.25 avg300=0.00 total=12345\nfull avg10=0.50 avg60=0.00 avg300=0.00 total=678\n',
    'cpu.pressure': 'some avg10=0.00 avg60=0.00 avg300=0.00 total=9\n',
  });
  expect(readStats(path)).toEqual({
    cpu: {
      usageUsec: 7654321,
      userUsec: 7000000,
      systemUsec: 654321,
      periods: 40,
      throttledPeriods: 12,
      throttledUsec: 999,
    },
    memory: {
      current: 1048576,
      peak: 2097152,
      inactiveFile: 8192,
      limit: 67108864,
      swapCurrent: 4096,
      swapLimit: 'max',
      events: { low: 1, high: 2, max: 3, oom: 4, oomKill: 5 },
    },
    pids: { current: 3, limit: 'max' },
    io: [
      { major: 8, minor: 16, readBytes: 1459200, writeBytes: 314773504, reads: 192, writes: 353 },
      { major: 254, minor: 0, readBytes: 1, writeBytes: 2, reads: 3, writes: 4 },
    ],
    pressure: {
      cpu: { some: { avg10: 0, avg60: 0, avg300: 0, totalUsec: 9 } },
      memory: {
        some: { avg10: 1.5, avg60: 0.25, avg300: 0, totalUsec: 12345 },
        full: { avg10: 0.5, avg60: 0, avg300: 0, totalUsec: 678 },
      },
    },
  });
  expect(oomKills(path)).toBe(5);
});

test('a group without controllers has only its processor time', () => {
  files({ 'cpu.stat': 'usage_usec 10\nuser_usec 4\nsystem_usec 6\n' });
  expect(readStats(path)).toEqual({ cpu: { usageUsec: 10, userUsec: 4, systemUsec: 6 } });
  expect(oomKills(path)).toBe(0);
});

test('a group that is not there has nothing', () => {
  expect(readStats(join(path, 'gone'))).toEqual({});
  expect(oomKills(join(path, 'gone'))).toBe(0);
});
