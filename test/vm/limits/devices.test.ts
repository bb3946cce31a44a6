import { readFileSync } from 'node:fs';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { expectNothingLeft, makePlace } from '../../fixtures/leftovers.ts';
import { box, printed } from '../../fixtures/tsbox.ts';

const place = makePlace();
const disk = process.env.TSBOX_VM_DISK ?? '';
const noDisk = disk === '' ? ' (skipped: no TSBOX_VM_DISK)' : '';

afterEach(() => expectNothingLeft(place));
afterAll(() => place.remove());

describe.skipIf(disk === '')(`block devices${noDisk}`, () => {
  const number = () => readFileSync(`/sys/class/block/${disk.slice(5)}/dev`, 'utf8').trim();

  /** Seconds that the script takes, as the container's own clock says: starting it is not its time. */
  function seconds(script: string, ...flags: string[]): number {
    const timed = `read begin _ < /proc/uptime; ${script} 2> /dev/null || exit 1; read end _ < /proc/uptime; echo $begin $end`;
    const clock = printed(place, '--device', `${disk}:/dev/disk`, ...flags, 'busybox', 'sh', '-c', timed);
    const [begin, end] = clock.split(' ').map(Number) as [number, number];
    return end - begin;
  }
  // 3 MiB past the page cache.
  const WRITE = 'dd if=/dev/zero of=/dev/disk bs=256k count=12 oflag=direct';
  const READ = 'dd if=/dev/disk of=/dev/null bs=256k count=12 iflag=direct';

  // 3 MiB at 1 MiB/s is three seconds, less what the kernel lets through at the start; without a limit, a moment.
  test('--device-write-bps slows writing', () => {
    expect(seconds(WRITE, '--device-write-bps', `${disk}:1mb`)).toBeGreaterThan(2.3);
    expect(seconds(WRITE, '--device-write-bps', `${disk}:100mb`)).toBeLessThan(1);
    expect(seconds(READ, '--device-write-bps', `${disk}:1mb`)).toBeLessThan(1);
  });

  test('--device-read-bps slows reading', () => {
    expect(seconds(READ, '--device-read-bps', `${disk}:1mb`)).toBeGreaterThan(2.3);
    expect(seconds(WRITE, '--device-read-bps', `${disk}:1mb`)).toBeLessThan(1);
  });

  test('--device-write-iops: 12 writes at 4 a second', () => {
    const write = 'dd if=/dev/zero of=/dev/disk bs=4k count=12 oflag=direct';
    expect(seconds(write, '--device-write-iops', `${disk}:4`)).toBeGreaterThan(2.3);
    expect(seconds(write, '--device-write-iops', `${disk}:4000`)).toBeLessThan(1);
  });

  test('the program reads its limits', () => {
    const flags = ['read-bps', 'write-bps', 'read-iops', 'write-iops'].flatMap((name, index) => [
      `--device-${name}`,
      `${disk}:${(index + 1) * 1000}`,
    ]);
    expect(printed(place, ...flags, 'busybox', 'cat', '/sys/fs/cgroup/io.max')).toBe(
      `${number()} rbps=1000 wbps=2000 riops=3000 wiops=4000\n`,
    );
  });

  test('--blkio-weight, in whichever file the kernel has for it', () => {
    // 500 of v1's 10 to 1000 is 4950 of v2's 1 to 10000; BFQ takes v1's.
    const script = 'cat /sys/fs/cgroup/io.bfq.weight 2> /dev/null || cat /sys/fs/cgroup/io.weight';
    expect(printed(place, '--blkio-weight', '500', 'busybox', 'sh', '-c', script)).toMatch(
      /^default (500|4950)\n$/,
    );
  });

  test('without --device it cannot be opened, even by a node of one’s own', () => {
    const [major, minor] = number().split(':');
    const script = `mknod /tmp/disk b ${major} ${minor} && head -c 1 /tmp/disk`;
    expect(box(place, '--cap-add', 'MKNOD', 'busybox', 'sh', '-c', script)).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/Operation not permitted/),
    });
  });

  test('--device with r only', () => {
    const flags = ['--device', `${disk}:/dev/disk:r`];
    expect(printed(place, ...flags, 'busybox', 'sh', '-c', 'head -c 8 /dev/disk | wc -c')).toBe('8\n');
    expect(box(place, ...flags, 'busybox', 'sh', '-c', 'echo x > /dev/disk').stderr).toMatch(
      /Operation not permitted/,
    );
  });
});

test('the usual devices can be used, and no other', () => {
  const script = `
    for device in null zero full random urandom tty ptmx; do test -c /dev/$device || echo no $device; done
    head -c 4 /dev/urandom | wc -c
    mknod /tmp/kmsg c 1 11 && head -c 1 /tmp/kmsg`;
  expect(box(place, 'busybox', 'sh', '-c', script)).toMatchObject({
    stdout: '4\n',
    stderr: expect.stringMatching(/Operation not permitted/),
  });
});

test('--device-cgroup-rule allows one that is made inside', () => {
  const script = 'mknod /tmp/kmsg c 1 11 && : < /tmp/kmsg && echo read; : > /tmp/kmsg';
  expect(box(place, '--device-cgroup-rule', 'c 1:11 rm', 'busybox', 'sh', '-c', script)).toMatchObject({
    stdout: 'read\n',
    stderr: expect.stringMatching(/Operation not permitted/),
  });
});

test('--privileged allows all', () => {
  expect(printed(place, '--privileged', 'busybox', 'sh', '-c', ': < /dev/kmsg && echo read')).toBe('read\n');
});

test('with a user namespace, a device of the host is bound, and the rules hold', () => {
  const script = ': < /dev/null && : > /dev/null && : < /dev/kmsg && echo read; : > /dev/kmsg';
  const flags = ['--userns', 'auto', '--device', '/dev/kmsg:/dev/kmsg:r'];
  const { stdout, stderr } = box(place, ...flags, 'busybox', 'sh', '-c', script);
  // kmsg asks for CAP_SYSLOG of the host as well, where dmesg_restrict is set: the container's root has none.
  expect([stdout, stderr].join('')).toMatch(/Operation not permitted|Permission denied/);
  expect(stderr).not.toContain('/dev/null');
});
