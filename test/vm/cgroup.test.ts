import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterEach, describe, expect, test } from 'vitest';
import {
  attachDeviceProgram,
  cgroupPath,
  controllersOf,
  DEFAULT_DEVICE_RULES,
  deviceProgram,
  findCgroup,
  freezeCgroup,
  killCgroup,
  limitWrites,
  oomKills,
  prepareParents,
  readStats,
  removeCgroup,
  removeCgroupNow,
  requireControllers,
  requireFiles,
  thawCgroup,
} from '../../src/cgroup/index.ts';
import type { DeviceRule, Resources } from '../../src/runtime/spec.ts';

const host = findCgroup();
const disk = process.env.TSBOX_VM_DISK ?? '';
/** Only the guest of scripts/vm has a disk that may be written over. */
const withDisk = test.skipIf(disk === '');
const noDisk = disk === '' ? ' (skipped: no TSBOX_VM_DISK)' : '';
const children: ChildProcess[] = [];
const groups: string[] = [];
let count = 0;

/** A group with the limits, made in the order that a container's is. */
function group(resources: Resources = {}): string {
  const path = cgroupPath(host, `test-${process.pid}-${++count}`, 'tsbox-test');
  const writes = requireControllers(host, limitWrites(resources));
  prepareParents(host, path, controllersOf(writes));
  const files = requireFiles(path, writes);
  mkdirSync(path);
  groups.push(path);
  for (const { file, value } of files) writeFileSync(join(path, file), value, { flag: 'r+' });
  return path;
}

/** Runs a shell script in the group. */
function run(path: string, script: string, ...args: string[]) {
  return spawnSync('sh', ['-c', `echo $$ > ${path}/cgroup.procs && ${script}`, 'sh', ...args], {
    encoding: 'utf8',
  });
}

async function start(path: string, script: string): Promise<ChildProcess> {
  const child = spawn('sh', ['-c', `echo $$ > ${path}/cgroup.procs && echo in && ${script}`]);
  children.push(child);
  await once(child.stdout, 'data');
  return child;
}

const file = (path: string, name: string) => readFileSync(join(path, name), 'utf8').trim();

afterEach(async () => {
  for (const path of groups.splice(0)) {
    killCgroup(path);
    await removeCgroup(path);
    expect(existsSync(path)).toBe(false);
  }
  children.length = 0;
});

test('the host is pure cgroup v2 with the five controllers of a container', () => {
  expect(host.mode).toBe('pure');
  expect(host.mountPoint).toBe('/sys/fs/cgroup');
  expect(host.controllers).toEqual(expect.arrayContaining(['cpuset', 'cpu', 'io', 'memory', 'pids']));
});

describe('the kernel takes each limit and gives it back', () => {
  test('memory', () => {
    const path = group({ memory: { limit: 67_108_864, reservation: 33_554_432, swap: 134_217_728 } });
    expect(file(path, 'memory.max')).toBe('67108864');
    expect(file(path, 'memory.low')).toBe('33554432');
    expect(file(path, 'memory.swap.max')).toBe('67108864');
  });

  test('cpu', () => {
    const path = group({
      cpu: { quota: 50_000, period: 100_000, shares: 1024, burst: 10_000, cpus: '0', mems: '0' },
    });
    expect(file(path, 'cpu.max')).toBe('50000 100000');
    expect(file(path, 'cpu.max.burst')).toBe('10000');
    expect(file(path, 'cpu.weight')).toBe('100');
    expect(file(path, 'cpuset.cpus.effective')).toBe('0');
    expect(file(path, 'cpuset.mems.effective')).toBe('0');
  });

  test('an idle group', () => {
    expect(file(group({ cpu: { idle: 1, shares: 2048 } }), 'cpu.idle')).toBe('1');
  });

  withDisk(`block devices${noDisk}`, () => {
    const device = file('/sys/class/block', `${disk.slice(5)}/dev`);
    const [major, minor] = device.split(':').map(Number) as [number, number];
    const rate = (rate: number) => [{ major, minor, rate }];
    const path = group({
      blockIO: {
        weight: 500,
        throttleReadBpsDevice: rate(1_048_576),
        throttleWriteBpsDevice: rate(2_097_152),
        throttleWriteIOPSDevice: rate(100),
      },
    });
    expect(file(path, 'io.max')).toBe(`${device} rbps=1048576 wbps=2097152 riops=max wiops=100`);
    expect(
      existsSync(join(path, 'io.bfq.weight')) ? file(path, 'io.bfq.weight') : file(path, 'io.weight'),
    ).toBe(existsSync(join(path, 'io.bfq.weight')) ? 'default 500' : 'default 4950');
  });

  test('unlimited', () => {
    const path = group({
      memory: { limit: -1, swap: -1 },
      pids: { limit: -1 },
      cpu: { quota: -1, period: 50_000 },
    });
    expect(['memory.max', 'memory.swap.max', 'pids.max', 'cpu.max'].map((name) => file(path, name))).toEqual([
      'max',
      'max',
      'max',
      'max 50000',
    ]);
  });

  test('v2 files by name', () => {
    const path = group({ unified: { 'memory.high': '1048576', 'cgroup.max.descendants': '3' } });
    expect(file(path, 'memory.high')).toBe('1048576');
    expect(file(path, 'cgroup.max.descendants')).toBe('3');
  });
});

test('a CPU that is not there is refused: the kernel would take it and use all of them', () => {
  expect(() => group({ cpu: { cpus: '0,4000' } })).toThrow(
    /the list of CPUs is "0,4000": must be among those of this machine, 0/,
  );
});

test('only the controllers that are needed are enabled', () => {
  const path = cgroupPath(host, 'none', `tsbox-test/only-${process.pid}`);
  prepareParents(host, path, ['pids']);
  expect(file(join(path, '..'), 'cgroup.subtree_control')).toBe('pids');
  prepareParents(host, path, ['pids', 'memory']);
  prepareParents(host, path, ['pids', 'memory']);
  expect(file(join(path, '..'), 'cgroup.subtree_control')).toBe('memory pids');
  expect(removeCgroupNow(join(path, '..'))).toBe(true);
});

test('a parent with processes in it is explained', async () => {
  const path = group();
  await start(path, 'sleep 60');
  const below = cgroupPath(host, 'x', path.slice(host.mountPoint.length));
  expect(() => prepareParents(host, below, ['memory'])).toThrow(
    expect.objectContaining({
      code: 'CGROUP_BUSY',
      message: expect.stringContaining('it has processes in it'),
    }),
  );
});

test('inside another container, the processes in the root of the namespace are moved to a leaf', async () => {
  const outer = group({ memory: { limit: 536_870_912 }, pids: { limit: 100 } });
  // Another Node is needed in there, and it takes JavaScript.
  const script = join(tmpdir(), `nested-${process.pid}.cjs`);
  const contents = `
    import { existsSync, readFileSync } from 'node:fs';
    import { cgroupPath, findCgroup, prepareParents } from './src/cgroup/index.ts';
    const host = findCgroup();
    const path = cgroupPath(host, 'inner');
    prepareParents(host, path, ['memory', 'pids']);
    prepareParents(host, path, ['memory', 'pids']);
    const read = (name: string) => readFileSync(host.mountPoint + '/' + name, 'utf8').trim();
    console.log(JSON.stringify({
      machineRoot: !existsSync(host.mountPoint + '/cgroup.type'),
      enabled: read('cgroup.subtree_control'),
      below: read('tsbox/cgroup.subtree_control'),
      inRoot: read('cgroup.procs'),
      me: readFileSync('/proc/self/cgroup', 'utf8').trim(),
    }));`;
  await build({
    stdin: { contents, resolveDir: process.cwd(), loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    logLevel: 'error',
    define: { 'import.meta.dirname': '""' },
    outfile: script,
  });
  // The shell enters the group from inside its PID namespace, as the init of a container does: nobody from outside is in it.
  const begin = `echo 0 > ${outer}/cgroup.procs && exec unshare -C sh -c "$0" sh "$@"`;
  const inside = 'umount /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup; sleep 9 & "$@"; kill $!';
  const inner = spawnSync(
    'unshare',
    ['-mpf', '--mount-proc', 'sh', '-c', begin, inside, process.execPath, script],
    { encoding: 'utf8' },
  );
  expect(inner.stderr).toBe('');
  expect(JSON.parse(inner.stdout)).toEqual({
    machineRoot: false,
    enabled: 'memory pids',
    below: 'memory pids',
    inRoot: '',
    me: '0::/init',
  });
});

test('a memory hog is killed at its limit, and counted', () => {
  const path = group({ memory: { limit: 16_777_216, swap: 16_777_216 } });
  expect(oomKills(path)).toBe(0);
  const hog = run(path, 'exec node -e "const all = []; for (;;) all.push(Buffer.alloc(1 << 20, 1))"');
  expect(hog.signal).toBe('SIGKILL');
  expect(oomKills(path)).toBe(1);
  const { memory } = readStats(path);
  expect(memory?.limit).toBe(16_777_216);
  expect(memory?.swapLimit).toBe(0);
  expect(memory?.events.oomKill).toBe(1);
  // The peak is the limit, give or take a batch of pages that the kernel charges at once.
  expect(memory?.peak).toBeGreaterThan(15_000_000);
  expect(memory?.peak).toBeLessThan(18_000_000);
});

test('forks stop at the limit of processes', () => {
  const path = group({ pids: { limit: 5 } });
  const forks = run(path, 'for i in 1 2 3 4 5 6 7 8 9; do sleep 1 & done; echo survived');
  expect(forks.stderr).toMatch(/fork/i);
  expect(readStats(path).pids?.limit).toBe(5);
  expect(readStats(path).pids?.current).toBeLessThanOrEqual(5);
});

test('half a processor is half a processor', () => {
  const path = group({ cpu: { quota: 50_000, period: 100_000 } });
  run(path, 'timeout 2 sh -c "while :; do :; done"');
  const { cpu } = readStats(path);
  // 2 s at a half; the guest counts in ticks of 10 ms.
  expect(cpu?.usageUsec).toBeGreaterThan(850_000);
  expect(cpu?.usageUsec).toBeLessThan(1_150_000);
  expect(cpu?.throttledPeriods).toBeGreaterThan(5);
});

withDisk(`writing to a device is counted${noDisk}`, () => {
  const path = group({ unified: { 'io.max': '' }, blockIO: { weight: 100 } });
  expect(run(path, 'dd if=/dev/zero of="$1" bs=1M count=4 oflag=direct', disk).status).toBe(0);
  const [major, minor] = file('/sys/class/block', `${disk.slice(5)}/dev`)
    .split(':')
    .map(Number);
  expect(readStats(path).io).toContainEqual(expect.objectContaining({ major, minor, writeBytes: 4_194_304 }));
});

withDisk(`a write limit slows writing to a block device${noDisk}`, () => {
  const [major, minor] = file('/sys/class/block', `${disk.slice(5)}/dev`)
    .split(':')
    .map(Number) as [number, number];
  const seconds = (rate: number) => {
    const path = group({ blockIO: { throttleWriteBpsDevice: [{ major, minor, rate }] } });
    const begin = performance.now();
    expect(run(path, 'dd if=/dev/zero of="$1" bs=256k count=12 oflag=direct', disk).status).toBe(0);
    return (performance.now() - begin) / 1000;
  };
  // 3 MiB: at 1 MiB/s it takes three seconds, less what the kernel lets through at the start.
  expect(seconds(1_048_576)).toBeGreaterThan(2);
  expect(seconds(0)).toBeLessThan(2);
});

test('a frozen group stands still, and can be thawed and killed', async () => {
  const path = group();
  const child = await start(path, 'while :; do :; done');
  await freezeCgroup(path);
  expect(file(path, 'cgroup.events')).toContain('frozen 1');
  const before = readStats(path).cpu?.usageUsec;
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(readStats(path).cpu?.usageUsec).toBe(before);
  thawCgroup(path);
  expect(file(path, 'cgroup.freeze')).toBe('0');
  await freezeCgroup(path);
  killCgroup(path);
  expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
});

test('a group goes with the groups below it, and not while processes live', async () => {
  const path = group();
  mkdirSync(join(path, 'a/b/c'), { recursive: true });
  mkdirSync(Buffer.concat([Buffer.from(`${path}/`), Buffer.from([0xff, 0xfe])]));
  const child = await start(join(path, 'a/b/c'), 'sleep 60');
  expect(removeCgroupNow(path)).toBe(false);
  await expect(removeCgroup(path, 50)).rejects.toThrow(expect.objectContaining({ code: 'CGROUP_BUSY' }));
  killCgroup(path);
  await removeCgroup(path);
  expect(existsSync(path)).toBe(false);
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  // And once more, for those who are not sure.
  killCgroup(path);
  await removeCgroup(path);
  expect(readStats(path)).toEqual({});
});

describe('device rules', () => {
  function probe(rules: readonly DeviceRule[], script: string) {
    const path = group();
    const program = deviceProgram(rules);
    if (program !== undefined) attachDeviceProgram(path, program);
    return run(path, script);
  }
  const OPEN_NULL = ': < /dev/null && : > /dev/null && : <> /dev/null';

  test('the default allows what every container has', () => {
    const { stderr, status } = probe(
      DEFAULT_DEVICE_RULES,
      `${OPEN_NULL} && : < /dev/zero && : < /dev/urandom`,
    );
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  });

  test('the default denies the rest, with EPERM', () => {
    expect(() => openSync('/dev/kmsg', 'r')).not.toThrow();
    expect(probe(DEFAULT_DEVICE_RULES, ': < /dev/kmsg').stderr).toMatch(/Operation not permitted/);
    if (disk) expect(probe(DEFAULT_DEVICE_RULES, `: < ${disk}`).stderr).toMatch(/Operation not permitted/);
  });

  test('a node can be made but not opened', () => {
    const node = `/dev/shm/kmsg-${process.pid}`;
    const made = probe(DEFAULT_DEVICE_RULES, `mknod ${node} c 1 11 && : < ${node}`);
    expect(existsSync(node)).toBe(true);
    expect(made.stderr).toMatch(/Operation not permitted/);
    rmSync(node);
  });

  test('nothing allowed', () => {
    expect(probe([], ': < /dev/null').stderr).toMatch(/Operation not permitted/);
    expect(probe([], `mknod /dev/shm/none-${process.pid} c 1 3`).stderr).toMatch(/Operation not permitted/);
  });

  test('reading without writing', () => {
    const rules: DeviceRule[] = [{ allow: true, type: 'c', major: 1, minor: 3, access: 'r' }];
    expect(probe(rules, 'exec 3< /dev/null').status).toBe(0);
    expect(probe(rules, 'exec 3> /dev/null').stderr).toMatch(/Operation not permitted/);
    expect(probe(rules, 'exec 3<> /dev/null').stderr).toMatch(/Operation not permitted/);
  });

  test('denying writing stops opening for both', () => {
    const rules: DeviceRule[] = [
      { allow: true, type: 'c' },
      { allow: false, type: 'c', major: 1, minor: 3, access: 'w' },
    ];
    expect(probe(rules, 'exec 3< /dev/null').status).toBe(0);
    expect(probe(rules, 'exec 3<> /dev/null').stderr).toMatch(/Operation not permitted/);
  });

  test('the verifier takes a program of a thousand rules', () => {
    const rules: DeviceRule[] = Array.from({ length: 1000 }, (_, i) => ({
      allow: i % 3 !== 0,
      type: i % 2 ? 'c' : 'b',
      major: i % 4000,
      access: (['r', 'w', 'rw', 'rwm'] as const)[i % 4] as string,
    }));
    expect(probe([...rules, { allow: true, type: 'c', major: 1, minor: 3 }], OPEN_NULL).status).toBe(0);
  });
});
