import { existsSync, readdirSync, statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { leavesNothing } from '../support/leftovers.ts';
import { describeRoot, inside, refused, run } from '../support/tsbox.ts';

/** `c 666 0:0 1:3 /dev/null`, for all below a directory; of links, where they lead. */
const LIST = `find /dev | sort | while read f; do
  if [ -L $f ]; then echo "l $(readlink $f) $f"
  else echo "$(stat -c '%A %a %u:%g %t:%T' $f | sed 's/^\\(.\\)[^ ]*/\\1/') $f"; fi; done`;

/** The status of opening a device for reading and writing. */
const open = (path: string, mode = '<>') =>
  `(exec 3${mode}${path}) 2>/dev/null && echo opened || echo refused`;

describeRoot('devices', () => {
  leavesNothing();

  test('/dev has these, and nothing else', () => {
    expect(inside([], LIST).trim().split('\n')).toEqual([
      'd 755 0:0 0:0 /dev',
      'l /proc/self/fd /dev/fd',
      'c 666 0:0 1:7 /dev/full',
      'd 1777 0:0 0:0 /dev/mqueue',
      'c 666 0:0 1:3 /dev/null',
      'l pts/ptmx /dev/ptmx',
      'd 755 0:0 0:0 /dev/pts',
      'c 666 0:0 5:2 /dev/pts/ptmx',
      'c 666 0:0 1:8 /dev/random',
      'd 1777 0:0 0:0 /dev/shm',
      'l /proc/self/fd/2 /dev/stderr',
      'l /proc/self/fd/0 /dev/stdin',
      'l /proc/self/fd/1 /dev/stdout',
      'c 666 0:0 5:0 /dev/tty',
      'c 666 0:0 1:9 /dev/urandom',
      'c 666 0:0 1:5 /dev/zero',
    ]);
  });

  test('they work', () => {
    expect(
      inside(
        [],
        'echo > /dev/null; head -c 3 /dev/zero | wc -c; head -c 3 /dev/random | wc -c; echo hi > /dev/stdout; echo x | cat /dev/stdin',
      ),
    ).toBe('3\n3\nhi\nx\n');
    expect(run([], ['sh', '-c', 'echo x > /dev/full'])).toMatchObject({ status: 1 });
  });

  test('another node can be made but not opened, root or not', () => {
    // The kernel's log, 1:11, and the first loop device, 7:0.
    const script = `mknod /tmp/k c 1 11; mknod /tmp/l b 7 0; ${open('/tmp/k')}; ${open('/tmp/l')}; ${open('/tmp/k', '<')}`;
    expect(inside([], script)).toBe('refused\nrefused\nrefused\n');
  });

  test.skipIf(!existsSync('/dev/fuse'))('--device, with its access (skipped without /dev/fuse)', () => {
    const { mode, uid, gid } = existsSync('/dev/fuse') ? statSync('/dev/fuse') : { mode: 0, uid: 0, gid: 0 };
    expect(
      inside(['--device', '/dev/fuse'], `stat -c "%a %u:%g %t:%T" /dev/fuse; ${open('/dev/fuse')}`),
    ).toBe(`${(mode & 0o777).toString(8)} ${uid}:${gid} a:e5\nopened\n`);
    expect(
      inside(
        ['--device', '/dev/fuse:/dev/in/side:r'],
        `${open('/dev/in/side', '<')}; ${open('/dev/in/side')}`,
      ),
    ).toBe('opened\nrefused\n');
    const rule = ['--device-cgroup-rule', 'c 10:229 rwm'];
    expect(inside(rule, `mknod /tmp/fuse c 10 229; ${open('/tmp/fuse')}`)).toBe('opened\n');
    expect(inside(['--userns', 'auto', '--device', '/dev/fuse'], open('/dev/fuse'))).toBe('opened\n');
  });

  test('bad ones are refused', () => {
    expect(refused(['--device', '/dev/nothing'])).toMatch(/^tsbox: --device.*\/dev\/nothing is not there/);
    expect(refused(['--device', '/etc/passwd'])).toMatch(/^tsbox: --device/);
    expect(refused(['--device', '/dev/null:/etc/x'])).toMatch(/below \/dev/);
    expect(refused(['--device', '/dev/null:/dev/null:rx'])).toMatch(/HOST\[:CONTAINER\]\[:rwm\]/);
    expect(refused(['--device-cgroup-rule', 'c 1:3'])).toMatch(/^tsbox: --device-cgroup-rule/);
  });
});

describeRoot('what of the kernel is hidden', () => {
  leavesNothing();

  test('masked files are empty, masked directories too', () => {
    const files = [
      '/proc/kcore',
      '/proc/keys',
      '/proc/timer_list',
      '/proc/interrupts',
      '/proc/sched_debug',
    ].filter(existsSync);
    const directories = ['/proc/acpi', '/proc/scsi', '/sys/firmware', '/sys/devices/virtual/powercap'].filter(
      existsSync,
    );
    const script = `cat ${files.join(' ')} | wc -c; ls -A ${directories.join(' ')} | grep -v ':$' | grep -c . || true`;
    expect(files).toContain('/proc/keys');
    expect(inside([], script)).toBe('0\n0\n');
  });

  test('what would change the whole machine cannot be written', () => {
    const script = `for f in /proc/sys/kernel/panic /proc/sys/kernel/core_pattern /proc/sysrq-trigger /proc/irq/default_smp_affinity /sys/kernel/profiling /sys/fs/cgroup/cgroup.procs; do
      [ ! -e $f ] || (echo h > $f) 2>&1 || true; done`;
    const lines = inside([], script).trim().split('\n');
    expect(lines.length).toBeGreaterThanOrEqual(4);
    for (const line of lines) expect(line).toMatch(/can't create .*: Read-only file system/);
  });

  test('nor can a root with capabilities take the covers off', () => {
    const script =
      'umount /proc/keys 2>&1; mount -o remount,rw /proc/sys 2>&1; mount -t proc p /mnt 2>&1; wc -c < /proc/keys';
    const lines = run([], ['sh', '-c', script]).stdout.trim().split('\n');
    expect(lines).toEqual([
      expect.stringMatching(/^umount: .*Operation not permitted$/),
      expect.stringMatching(/^mount: permission denied/),
      expect.stringMatching(/^mount: permission denied/),
      '0',
    ]);
  });

  test('--security-opt systempaths=unconfined shows them', () => {
    expect(
      Number(inside(['--security-opt', 'systempaths=unconfined'], 'wc -c < /proc/timer_list')),
    ).toBeGreaterThan(0);
  });
});

describeRoot('--privileged', () => {
  leavesNothing();

  test("has the host's devices and may open them", () => {
    const ours = readdirSync('/dev')
      .filter((name) => /^(loop\d+|kmsg|fuse)$/.test(name))
      .sort();
    const script = `ls /dev | grep -E '^(loop[0-9]+|kmsg|fuse)$' | sort; ${open('/dev/kmsg', '<')}`;
    expect(inside(['--privileged'], script)).toBe([...ours, 'opened', ''].join('\n'));
  });

  test('nothing is hidden or read-only', () => {
    const script =
      "grep -E ' (/proc|/sys)' /proc/self/mountinfo | cut -d' ' -f5,6; wc -c < /proc/timer_list | grep -vx 0 > /dev/null && echo shown";
    expect(inside(['--privileged'], script)).toBe(
      [
        '/proc rw,nosuid,nodev,noexec,relatime',
        '/sys rw,nosuid,nodev,noexec,relatime',
        '/sys/fs/cgroup rw,nosuid,nodev,noexec,relatime',
        'shown',
        '',
      ].join('\n'),
    );
  });

  test('it may mount', () => {
    expect(inside(['--privileged'], 'mount -t tmpfs t /mnt; touch /mnt/x; ls /mnt')).toBe('x\n');
  });
});
