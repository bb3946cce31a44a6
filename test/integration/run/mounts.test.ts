import { existsSync, readdirSync, statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { leavesNothing } from '../support/leftovers.ts';
import { describeRoot, hostFile, inside, Running, refused, run, store } from '../support/tsbox.ts';

/** Where, of which type, how (the options of the mount), and optional fields such as `shared:1`. proc_pid_mountinfo(5). */
function mounts(mountinfo: string): string[] {
  return mountinfo
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [mount = '', superblock = ''] = line.split(' - ');
      const [, , , , place, options, ...tags] = mount.split(' ');
      return [place, superblock.split(' ')[0], options, ...tags].join(' ').trim();
    })
    .sort();
}

/** Of the file system that the store is in. */
function storeType(): string {
  const { dev } = statSync(store === '' ? '/' : store);
  const device = `${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >> 12) & 0xfff00)}`;
  const line = hostFile('/proc/self/mountinfo')
    .split('\n')
    .find((each) => each.split(' ')[2] === device);
  return line?.split(' - ')[1]?.split(' ')[0] ?? 'unknown';
}

const STRICT = 'nosuid,nodev,noexec,relatime';
const STANDARD = [
  '/ overlay rw,relatime',
  '/dev tmpfs rw,nosuid',
  `/dev/mqueue mqueue rw,${STRICT}`,
  '/dev/pts devpts rw,nosuid,noexec,relatime',
  `/dev/shm tmpfs rw,${STRICT}`,
  `/proc proc rw,${STRICT}`,
  `/sys sysfs ro,${STRICT}`,
  `/sys/fs/cgroup cgroup2 ro,${STRICT}`,
];
const READ_ONLY = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']
  .filter(existsSync)
  .map((path) => `${path} proc ro,${STRICT}`);
const MASKED_FILES = [
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/timer_list',
  '/proc/timer_stats',
].filter(existsSync);
const MASKED_DIRECTORIES = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/scsi',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
  ...readdirSync('/sys/devices/system/cpu').map((cpu) => `/sys/devices/system/cpu/${cpu}/thermal_throttle`),
].filter(existsSync);

describeRoot('mounts', () => {
  leavesNothing();

  // Once the files that tsbox provides lay over the old root, and the unmount that was for the host took them off instead.
  test.each([
    ['none', 'tmpfs'],
    // Files of the container's directory: their content changes while it runs.
    ['bridge', storeType()],
  ])('with --network %s the container has these, and nothing of the host', (network, provided) => {
    const seen = mounts(inside(['--network', network], 'cat /proc/self/mountinfo'));
    const [null_] = mounts(hostFile('/proc/self/mountinfo')).filter((line) => line.startsWith('/dev '));
    const [, type, options] = null_?.split(' ') ?? [];
    const expected = [
      ...STANDARD,
      ...['hostname', 'hosts', 'resolv.conf'].map((name) => `/etc/${name} ${provided} rw,${STRICT}`),
      ...READ_ONLY,
      ...MASKED_FILES.map((path) => `${path} ${type} ${options}`),
      ...MASKED_DIRECTORIES.map((path) => `${path} tmpfs ro,${STRICT}`),
    ];
    expect(seen).toEqual(expected.sort());
  });

  test('the same in a user namespace, with its devices from the host', () => {
    const seen = mounts(inside(['--userns', 'auto'], 'cat /proc/self/mountinfo')).map(
      (line) => line.split(' ')[0],
    );
    const nodes = ['full', 'null', 'random', 'tty', 'urandom', 'zero'].map((name) => `/dev/${name}`);
    const files = ['hostname', 'hosts', 'resolv.conf'].map((name) => `/etc/${name}`);
    const expected = [...STANDARD, ...READ_ONLY].map((line) => line.split(' ')[0]);
    expect(seen).toEqual([...expected, ...files, ...MASKED_FILES, ...MASKED_DIRECTORIES, ...nodes].sort());
  });

  test("the host's mounts are the same while it runs and after", async () => {
    const before = hostFile('/proc/self/mountinfo');
    const box = new Running(['--tmpfs', '/t', '-v', '/etc:/host:ro'], ['sh', '-c', 'echo up; exec sleep 60']);
    await box.says('up');
    expect(hostFile('/proc/self/mountinfo')).toBe(before);
    box.process.kill('SIGKILL');
    await box.ended;
    expect(hostFile('/proc/self/mountinfo')).toBe(before);
  });

  test('--read-only: only what is mounted can be written', () => {
    const script = `for f in /x /etc/x /bin/busybox /dev/shm/x /dev/x /t/x /etc/hosts /sys/x; do
      if (: >> $f) 2>/dev/null; then echo "$f yes"; else echo "$f no"; fi; done; touch /x 2>&1 || true`;
    expect(inside(['--read-only', '--tmpfs', '/t'], script)).toBe(
      '/x no\n/etc/x no\n/bin/busybox no\n/dev/shm/x yes\n/dev/x yes\n/t/x yes\n/etc/hosts yes\n/sys/x no\ntouch: /x: Read-only file system\n',
    );
  });

  test('what it writes is gone with it', () => {
    expect(inside([], 'echo x > /root/x; cat /root/x')).toBe('x\n');
    expect(run([], ['cat', '/root/x'])).toMatchObject({ status: 1, stdout: '' });
  });

  test('--tmpfs', () => {
    const script =
      'df -k /t | tail -1 | awk "{print \\$2}"; stat -c "%a %u" /t; grep " /t " /proc/self/mountinfo | cut -d" " -f6';
    expect(inside(['--tmpfs', '/t:size=1m,mode=1777,uid=7'], script)).toBe(`1024\n1777 7\nrw,${STRICT}\n`);
    expect(
      inside(['--tmpfs', '/a/deep/place', '-u', '1000'], 'echo x > /a/deep/place/y; cat /a/deep/place/y'),
    ).toBe('x\n');
  });

  test('--tmpfs holds no more than its size', () => {
    expect(
      run(['--tmpfs', '/t:size=1m'], ['dd', 'if=/dev/zero', 'of=/t/x', 'bs=1M', 'count=2']),
    ).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('No space left on device'),
    });
  });

  test('--tmpfs: no programs, unless with exec', () => {
    const command = ['sh', '-c', 'cp /bin/busybox /t/busybox; /t/busybox echo ran'];
    expect(run(['--tmpfs', '/t'], command)).toMatchObject({
      status: 126,
      stderr: expect.stringContaining('Permission denied'),
    });
    expect(run(['--tmpfs', '/t:exec'], command)).toEqual({ status: 0, stdout: 'ran\n', stderr: '' });
  });

  test('--mount type=tmpfs', () => {
    const flags = ['--mount', 'type=tmpfs,target=/t,tmpfs-size=2m,tmpfs-mode=700'];
    expect(inside(flags, 'df -k /t | tail -1 | awk "{print \\$2}"; stat -c %a /t')).toBe('2048\n700\n');
  });

  test('--shm-size', () => {
    const script = 'df -k /dev/shm | tail -1 | awk "{print \\$2}"';
    expect(inside([], script)).toBe('65536\n');
    expect(inside(['--shm-size', '1m'], script)).toBe('1024\n');
  });

  test('--ipc host: /dev/shm is ours', () => {
    expect(inside(['--ipc', 'host'], 'stat -c %d:%i /dev/shm')).not.toBe(
      inside([], 'stat -c %d:%i /dev/shm'),
    );
  });

  test('bad ones are refused', () => {
    expect(refused(['--tmpfs', 'relative'])).toMatch(/^tsbox: --tmpfs.*relative/);
    expect(refused(['--tmpfs', '/'])).toMatch(/^tsbox: --tmpfs/);
    expect(refused(['--tmpfs', '/t:sise=1m'])).toMatch(/^tsbox: --tmpfs.*did you mean size\?/);
    expect(refused(['--shm-size', 'much'])).toMatch(/^tsbox: --shm-size.*much/);
    expect(refused(['--mount', 'type=tmpfs'])).toMatch(/^tsbox: --mount.*target is missing/);
    expect(refused(['--tmpfs', '/t', '--tmpfs', '/t'])).toMatch(/duplicate mount point: "?\/t/);
  });
});
