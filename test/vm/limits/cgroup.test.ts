import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, expect, test } from 'vitest';
import { run } from '../../../src/index.ts';
import { expectNothingLeft, makePlace } from '../../fixtures/leftovers.ts';
import { box, printed } from '../../fixtures/tsbox.ts';

const place = makePlace();
process.env.TSBOX_ROOT = place.root;

afterEach(() => expectNothingLeft(place));
afterAll(() => place.remove());

test('its own group is the root of what the program sees, and it cannot change it', () => {
  const script = `
    cat /proc/self/cgroup
    cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max
    ls /sys/fs/cgroup/cgroup.procs
    echo max > /sys/fs/cgroup/memory.max
    mkdir /sys/fs/cgroup/below
    mount -o remount,rw /sys/fs/cgroup`;
  const { stdout, stderr } = box(place, '-m', '64m', '--pids-limit', '10', 'busybox', 'sh', '-c', script);
  expect(stdout).toBe('0::/\n67108864\n10\n/sys/fs/cgroup/cgroup.procs\n');
  expect(stderr.match(/Read-only file system/g)).toHaveLength(2);
  expect(stderr).toMatch(/mount:.*(permission denied|Operation not permitted)/i);
});

test('--cgroupns host: its place among the others', () => {
  expect(printed(place, '--cgroupns', 'host', 'busybox', 'cat', '/proc/self/cgroup')).toMatch(
    new RegExp(`^0::/${place.cgroupParent}/[0-9a-f]{64}\n$`),
  );
});

test('--cgroupns host: it sees the host’s groups, and the flags of the hierarchy stay what they were', () => {
  const flags = () =>
    readFileSync('/proc/mounts', 'utf8').match(/^cgroup2? \/sys\/fs\/cgroup cgroup2 (\S+)/m)?.[1];
  const before = flags();
  execFileSync('mount', ['-o', 'remount,nsdelegate', '/sys/fs/cgroup']);
  try {
    const options = flags();
    expect(options).toContain('nsdelegate');
    const script = 'ls /sys/fs/cgroup; grep " /sys/fs/cgroup " /proc/mounts; mkdir /sys/fs/cgroup/x';
    const { stdout, stderr } = box(place, '--cgroupns', 'host', 'busybox', 'sh', '-c', script);
    expect(stdout).toContain(`${place.cgroupParent.split('/')[0]}\n`);
    expect(stdout).toMatch(/\/sys\/fs\/cgroup cgroup2 ro,nosuid,nodev,noexec/);
    expect(stderr).toMatch(/Read-only file system/);
    expect(flags()).toBe(options);
  } finally {
    if (!before?.includes('nsdelegate')) execFileSync('mount', ['-o', 'remount', '/sys/fs/cgroup']);
  }
});

test('the limits are there before the first instruction', () => {
  // The program is not a shell that could be moved meanwhile, but the reader itself, executed first.
  expect(
    printed(
      place,
      '-m',
      '64m',
      '--cpus',
      '0.5',
      'busybox',
      'cat',
      '/sys/fs/cgroup/memory.max',
      '/sys/fs/cgroup/cpu.max',
    ),
  ).toBe('67108864\n50000 100000\n');
  // And what exec itself took was already charged to it.
  const peak = Number(printed(place, '-m', '64m', 'busybox', 'cat', '/sys/fs/cgroup/memory.peak'));
  expect(peak).toBeGreaterThan(100_000);
});

test('a limit too small for the program to start is an error that names it, or its death', () => {
  const { status, stderr } = box(place, '-m', '5m', 'busybox', 'true');
  expect({ status, stderr }).toEqual({ status: 125, stderr: expect.stringContaining('6 MiB') });
});

test('stats() has what the kernel counts', async () => {
  await using container = await run(
    'busybox',
    ['sh', '-c', 'head -c 20m /dev/zero > /dev/shm/file; echo done; exec sleep 100'],
    {
      memory: '64m',
      pidsLimit: 12,
      cpus: 1,
      cgroupParent: place.cgroupParent,
    },
  );
  for await (const chunk of container.stdout ?? []) if (String(chunk).includes('done')) break;
  const { cpu, memory, pids } = await container.stats();
  expect(memory?.limit).toBe(67_108_864);
  expect(memory?.current).toBeGreaterThan(20 * 2 ** 20);
  expect(memory?.current).toBeLessThan(30 * 2 ** 20);
  expect(memory?.peak).toBeGreaterThanOrEqual(memory?.current ?? Number.NaN);
  expect(memory?.events.oomKill).toBe(0);
  expect(pids).toEqual({ current: 1, limit: 12 });
  expect(cpu?.usageUsec).toBeGreaterThanOrEqual(0);
  expect(cpu?.periods).toBeTypeOf('number');
});

test('oomKilled and memoryLimit in the library', async () => {
  await using container = await run('busybox', ['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=100M'], {
    memory: '32m',
    cgroupParent: place.cgroupParent,
    stderr: 'ignore',
  });
  expect(await container.wait()).toEqual({
    code: 137,
    signal: 'SIGKILL',
    oomKilled: true,
    memoryLimit: 33_554_432,
  });
});
