import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, expect, test } from 'vitest';
import { expectNothingLeft, makePlace } from '../../fixtures/leftovers.ts';
import { box, printed, startBox } from '../../fixtures/tsbox.ts';

const place = makePlace();

afterEach(() => expectNothingLeft(place));
afterAll(() => place.remove());

const inGroup = (file: string) =>
  readFileSync(
    join(
      place.cgroup,
      readdirSync(place.cgroup, { withFileTypes: true }).find((e) => e.isDirectory())?.name ?? '',
      file,
    ),
    'utf8',
  ).trim();

const LOOP = 'while :; do :; done';

/** Microseconds of processor time of two busy loops, and of wall-clock time, as the program sees them. */
function busy(seconds: number, ...flags: string[]): { used: number; passed: number } {
  // The clock of /proc/uptime and the processor time are read by the same process, one after the other.
  const now = 'read up _ < /proc/uptime; read _ used < /sys/fs/cgroup/cpu.stat; echo $up $used';
  const loops = `timeout ${seconds} sh -c '${LOOP}' & timeout ${seconds} sh -c '${LOOP}' & wait`;
  const lines = printed(place, ...flags, 'busybox', 'sh', '-c', `${now}; ${loops}; ${now}`)
    .trim()
    .split('\n');
  const [before, after] = lines.map((line) => line.split(' ').map(Number)) as [number[], number[]];
  const difference = (index: number) => (after[index] as number) - (before[index] as number);
  return { used: difference(1), passed: difference(0) * 1e6 };
}

test('--cpus 0.5 is half a processor, for all of its processes together', () => {
  const { used, passed } = busy(4, '--cpus', '0.5');
  expect(used / passed).toBeGreaterThan(0.45);
  expect(used / passed).toBeLessThan(0.55);
});

test('--cpu-quota and --cpu-period: a quarter', () => {
  const { used, passed } = busy(4, '--cpu-quota', '12500', '--cpu-period', '50000');
  expect(used / passed).toBeGreaterThan(0.225);
  expect(used / passed).toBeLessThan(0.275);
});

test('without a limit, two loops use more than that', () => {
  const { used, passed } = busy(2);
  expect(used / passed).toBeGreaterThan(0.8);
});

test.each(['0', '1', '0-1'])('--cpuset-cpus %s is what the program sees', (cpus) => {
  const script = 'nproc; grep Cpus_allowed_list /proc/self/status; cat /sys/fs/cgroup/cpuset.cpus.effective';
  expect(printed(place, '--cpuset-cpus', cpus, '--cpuset-mems', '0', 'busybox', 'sh', '-c', script)).toBe(
    `${cpus === '0-1' ? 2 : 1}\nCpus_allowed_list:\t${cpus}\n${cpus}\n`,
  );
});

test('a processor that is not there', () => {
  expect(box(place, '--cpuset-cpus', '0,4000', 'busybox', 'true')).toMatchObject({
    status: 125,
    stderr: expect.stringMatching(/^tsbox: --cpuset-cpus.*4000/),
  });
});

test.each([
  // Published pairs: 2, 1024 and 262144 shares are the least, Docker's usual and the most; v2's are 1, 100 and 10000.
  [['--cpu-shares', '2'], '1'],
  [['--cpu-shares', '1024'], '100'],
  [['--cpu-shares', '262144'], '10000'],
  [['--cpu-weight', '250'], '250'],
  [[], '100'],
])('%j gives cpu.weight %s', (flags, weight) => {
  // The controller is needed for the file to be there at all.
  expect(
    printed(
      place,
      '--cpuset-cpus',
      '0',
      ...flags,
      ...(flags.length ? [] : ['--cpus', '1']),
      'busybox',
      'cat',
      '/sys/fs/cgroup/cpu.weight',
    ),
  ).toBe(`${weight}\n`);
});

test('a fork bomb stops at --pids-limit, and the machine lives', async () => {
  const bomb = startBox(
    place,
    '--pids-limit',
    '20',
    'busybox',
    'sh',
    '-c',
    'bomb() { bomb | bomb & }; bomb; exec sleep 100',
  );
  await sleep(3000);
  expect(inGroup('pids.max')).toBe('20');
  expect(Number(inGroup('pids.current'))).toBeLessThanOrEqual(20);
  // How often a fork was refused.
  expect(Number(/^max (\d+)$/m.exec(inGroup('pids.events'))?.[1])).toBeGreaterThan(0);
  expect(printed(place, 'busybox', 'echo', 'alive')).toBe('alive\n');
  // And the janitor ends what is left of it: cgroup.kill is faster than any fork.
  bomb.kill('SIGKILL');
  await once(bomb, 'exit');
});

test('a fork beyond --pids-limit fails with EAGAIN', () => {
  const script = 'for i in 1 2 3 4 5 6 7 8; do sleep 1 & done';
  const { status, stderr } = box(place, '--pids-limit', '4', 'busybox', 'sh', '-c', script);
  expect(status).not.toBe(0);
  expect(stderr).toContain("can't fork: Resource temporarily unavailable");
});
