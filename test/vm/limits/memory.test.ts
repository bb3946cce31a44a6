import { spawnSync } from 'node:child_process';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { expectNothingLeft, makePlace } from '../../fixtures/leftovers.ts';
import { box, printed } from '../../fixtures/tsbox.ts';

const place = makePlace();
const disk = process.env.TSBOX_VM_DISK ?? '';

afterEach(() => expectNothingLeft(place));
afterAll(() => place.remove());

/** Allocates and touches that many MiB at once. */
const take = (megabytes: number) => `dd if=/dev/zero of=/dev/null bs=${megabytes}M count=1 2> /dev/null`;

test('a hog is killed at its limit, and it is said why', () => {
  expect(box(place, '-m', '32m', 'busybox', 'sh', '-c', `exec ${take(100)}`)).toMatchObject({
    status: 137,
    stdout: '',
    stderr: 'tsbox: killed: out of memory (limit 32 MiB)\n',
  });
});

test('what stays below the limit lives', () => {
  expect(printed(place, '-m', '32m', 'busybox', 'sh', '-c', `${take(16)} && echo alive`)).toBe('alive\n');
});

test('a program that outlives the one that was killed says so itself', () => {
  expect(box(place, '-m', '32m', 'busybox', 'sh', '-c', `${take(100)}; echo $?`)).toMatchObject({
    status: 0,
    stdout: '137\n',
  });
});

test('being killed by somebody else is not called out of memory', () => {
  expect(box(place, '-m', '32m', '--init', 'busybox', 'sh', '-c', 'kill -KILL $$')).toMatchObject({
    status: 137,
    stderr: '',
  });
});

test('a tmpfs counts too', () => {
  const script = 'exec dd if=/dev/zero of=/dev/shm/file bs=1M count=60 2> /dev/null';
  expect(box(place, '-m', '32m', '--shm-size', '100m', 'busybox', 'sh', '-c', script)).toMatchObject({
    status: 137,
    stderr: 'tsbox: killed: out of memory (limit 32 MiB)\n',
  });
});

test('the limit holds with a user namespace', () => {
  expect(
    box(place, '-m', '32m', '--userns', 'auto', 'busybox', 'sh', '-c', `exec ${take(100)}`),
  ).toMatchObject({ status: 137, stderr: 'tsbox: killed: out of memory (limit 32 MiB)\n' });
});

test.each([
  // Docker's --memory-swap is memory and swap together, and twice the memory where it is not given; v2's file is the swap alone.
  [['-m', '64m'], '67108864 67108864 0'],
  [['-m', '64m', '--memory-swap', '96m'], '67108864 33554432 0'],
  [['-m', '64m', '--memory-swap', '64m'], '67108864 0 0'],
  [['-m', '64m', '--memory-swap', '-1'], '67108864 max 0'],
  [['-m', '64m', '--memory-reservation', '48m'], '67108864 67108864 50331648'],
  [['--memory-reservation', '48m'], 'max max 50331648'],
])('the program reads its own limits: %j', (flags, expected) => {
  const files = ['max', 'swap.max', 'low'].map((name) => `/sys/fs/cgroup/memory.${name}`);
  const script = `echo $(cat ${files.join(' ')})`;
  expect(printed(place, ...flags, 'busybox', 'sh', '-c', script)).toBe(`${expected}\n`);
});

describe.skipIf(disk === '')(`with swap${disk === '' ? ' (skipped: no TSBOX_VM_DISK)' : ''}`, () => {
  const command = (name: string) => expect(spawnSync(name, [disk]).status).toBe(0);

  test('--memory-swap lets a program have more than its memory, and no more than both', () => {
    command('mkswap');
    command('swapon');
    try {
      const run = (swap: string) =>
        box(place, '-m', '32m', '--memory-swap', swap, 'busybox', 'sh', '-c', `exec ${take(48)}`).status;
      expect(run('128m')).toBe(0);
      expect(run('32m')).toBe(137);
    } finally {
      command('swapoff');
    }
  });
});

test('--oom-score-adj is the program’s', () => {
  expect(printed(place, '--oom-score-adj', '-500', 'busybox', 'cat', '/proc/self/oom_score_adj')).toBe(
    '-500\n',
  );
  expect(printed(place, 'busybox', 'cat', '/proc/self/oom_score_adj')).toBe('0\n');
});
