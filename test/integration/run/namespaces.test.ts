import { readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { expect, test } from 'vitest';
import { leavesNothing } from '../support/leftovers.ts';
import { describeRoot, hostFile, inside, refused } from '../support/tsbox.ts';

const ALL = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'user', 'uts', 'time'] as const;

/** Which namespaces are the host's, by the kernel's own ids of them. */
function shared(flags: string[]): string[] {
  const links = inside(flags, `for n in ${ALL.join(' ')}; do readlink /proc/self/ns/$n; done`);
  const ids = links.trim().split('\n');
  return ALL.filter((name, index) => ids[index] === readlinkSync(`/proc/self/ns/${name}`));
}

describeRoot('namespaces', () => {
  leavesNothing();

  test('all are its own but user and time', () => {
    expect(shared([])).toEqual(['user', 'time']);
  });

  test.each([
    [
      ['--pid', 'host'],
      ['pid', 'user', 'time'],
    ],
    [
      ['--ipc', 'host'],
      ['ipc', 'user', 'time'],
    ],
    [
      ['--uts', 'host'],
      ['user', 'uts', 'time'],
    ],
    [
      ['--network', 'host'],
      ['net', 'user', 'time'],
    ],
    [
      ['--cgroupns', 'host'],
      ['cgroup', 'user', 'time'],
    ],
    [['--userns', 'auto'], ['time']],
    [['--time-offset', 'boottime=60'], ['user']],
  ])('%j: shares %j', (flags, names) => {
    expect(shared(flags)).toEqual(names);
  });

  test('its program is PID 1 and sees no other process', () => {
    // Without a process of its own for looking: that would be one more, or not yet, or not any more.
    expect(inside([], 'echo $$; set -- /proc/[0-9]*; echo $*')).toBe('1\n/proc/1\n');
  });

  test('--pid host: it sees ours', () => {
    expect(inside(['--pid', 'host'], `cat /proc/${process.pid}/comm`)).toBe(
      hostFile(`/proc/${process.pid}/comm`),
    );
  });

  test('--network none has a loopback that is up, and nothing else that is', () => {
    expect(
      inside(
        ['--network', 'none'],
        'ip -o link | grep UP; ip -4 -o addr; ping -c 1 -W 2 127.0.0.1 | grep received',
      ),
    ).toMatch(
      /^1: lo: <LOOPBACK,UP,LOWER_UP>.*\n1: lo +inet 127\.0\.0\.1\/8.*\n1 packets transmitted, 1 packets received.*\n$/,
    );
  });

  test('--network host: it has our interfaces', () => {
    expect(inside(['--network', 'host'], 'cat /proc/net/dev | tail -n +3 | cut -d: -f1')).toBe(
      `${hostFile('/proc/net/dev')
        .trimEnd()
        .split('\n')
        .slice(2)
        .map((line) => line.split(':')[0])
        .join('\n')}\n`,
    );
  });

  test('the cgroup namespace hides where it is', () => {
    expect(inside([], 'grep ^0: /proc/self/cgroup')).toBe('0::/\n');
    expect(inside(['--cgroupns', 'host'], 'grep ^0: /proc/self/cgroup')).toMatch(
      /^0::\/.*tsbox\/[0-9a-f]{64}\n$/,
    );
  });

  test('--cgroupns host: the cgroups that it sees are the host’s own mount of them, which it cannot write to', () => {
    const script = 'grep " /sys/fs/cgroup " /proc/self/mountinfo; ls -d /sys/fs/cgroup/tsbox';
    const [mount, group] = inside(['--cgroupns', 'host'], script).split('\n');
    expect(mount).toMatch(/ \/ \/sys\/fs\/cgroup ro,nosuid,nodev,noexec,relatime - cgroup2 /);
    expect(group).toBe('/sys/fs/cgroup/tsbox');
  });

  test('--uts host: it has our name, and may not have one of its own', () => {
    expect(inside(['--uts', 'host'], 'hostname')).toBe(`${hostname()}\n`);
    expect(refused(['--uts', 'host', '--hostname', 'other'])).toMatch(/^tsbox: --hostname .*--uts host/);
  });

  test('--hostname and --domainname', () => {
    const flags = ['--hostname', 'box.example.org', '--domainname', 'nis.example.org'];
    expect(inside(flags, 'hostname; cat /proc/sys/kernel/domainname /etc/hostname; echo $HOSTNAME')).toBe(
      'box.example.org\nnis.example.org\nbox.example.org\nbox.example.org\n',
    );
    expect(hostname()).not.toBe('box.example.org');
  });

  test('-h is short for --hostname', () => {
    expect(inside(['-h', 'short'], 'hostname')).toBe('short\n');
  });

  test('without, the host name is the beginning of the id', () => {
    expect(inside([], 'hostname')).toMatch(/^[0-9a-f]{12}\n$/);
  });

  test('--time-offset moves the clock', () => {
    const uptime = Number(inside(['--time-offset', 'boottime=1000000'], 'cat /proc/uptime').split(' ')[0]);
    const ours = Number(hostFile('/proc/uptime').split(' ')[0]);
    expect(uptime - ours).toBeGreaterThan(999_990);
    expect(uptime - ours).toBeLessThanOrEqual(1_000_000);
    expect(
      inside(
        ['--time-offset', 'monotonic=5', '--time-offset', 'boottime=-7'],
        'cat /proc/self/timens_offsets',
      ),
    ).toMatch(/^monotonic +5 +0\nboottime +-7 +0\n$/);
  });

  test('what is no mode is refused, with what was meant', () => {
    expect(refused(['--pid', 'hots'])).toBe('tsbox: --pid "hots": not private or host; did you mean host?');
    expect(refused(['--network', 'brigde'])).toBe('tsbox: no such network: brigde; did you mean bridge?');
    expect(refused(['--time-offset', 'boot=1'])).toMatch(/^tsbox: --time-offset/);
    expect(refused(['--time-offset', 'boottime=99999999999'])).toMatch(/^tsbox: --time-offset/);
  });
});
