import { describe, expect, it } from 'vitest';
import { refusal } from '../fake-host.ts';
import { build } from './alpine.ts';

const types = (options: object) => build(options).spec.linux.namespaces.map((namespace) => namespace.type);

describe('namespaces', () => {
  it.each([
    [{ network: 'host' }, ['mount', 'uts', 'pid', 'ipc', 'cgroup']],
    [{ network: 'none' }, ['mount', 'network', 'uts', 'pid', 'ipc', 'cgroup']],
    [{ pid: 'host' }, ['mount', 'network', 'uts', 'ipc', 'cgroup']],
    [{ ipc: 'host', uts: 'host', cgroupns: 'host' }, ['mount', 'network', 'pid']],
    [{ userns: '100000:100000:65536' }, ['mount', 'network', 'uts', 'pid', 'ipc', 'cgroup', 'user']],
    [{ timeOffsets: { boottime: 1 } }, ['mount', 'network', 'uts', 'pid', 'ipc', 'cgroup', 'time']],
    [{ timeOffsets: {} }, ['mount', 'network', 'uts', 'pid', 'ipc', 'cgroup']],
  ])('%j: %j', (options, expected) => {
    expect(types(options)).toEqual(expected);
  });

  it('has maps of its own with auto, beside those in use and /etc/subuid’s', () => {
    const { linux } = build({ userns: 'auto' }).spec;
    const first = linux.uidMappings?.[0]?.hostID as number;
    expect(linux.uidMappings).toEqual([{ containerID: 0, hostID: first, size: 65536 }]);
    expect(linux.gidMappings).toEqual(linux.uidMappings);
    const other = build({ userns: 'auto' }, { inUse: [{ hostID: first, size: 65536 }] }).spec.linux;
    expect(other.uidMappings?.[0]?.hostID).toBe(first + 65536);
    const third = build(
      { userns: 'auto' },
      {
        inUse: [{ hostID: first, size: 65536 }],
        host: { texts: { '/etc/subuid': `ada:${first + 65536}:1\n` } },
      },
    ).spec.linux;
    expect(third.uidMappings?.[0]?.hostID).toBe(first + 131072);
  });

  it('refuses what a user namespace cannot be combined with', () => {
    for (const options of [
      { network: 'host' },
      { pid: 'host' as const },
      { ipc: 'host' as const },
      { privileged: true },
    ]) {
      expect(refusal(() => build({ userns: 'auto', ...options }))).toContain(
        '--userns auto: cannot be combined with',
      );
    }
  });

  it('leaves out what a user namespace does not map', () => {
    const { spec } = build(
      { userns: '100000:100000:3' },
      {
        host: {
          texts: {
            '/proc/sys/net/ipv4/ping_group_range': '',
            '/proc/sys/net/ipv4/ip_unprivileged_port_start': '',
          },
        },
      },
    );
    expect(spec.mounts.find((mount) => mount.destination === '/dev/pts')?.options).not.toContain('gid=5');
    expect(spec.linux.sysctl).toEqual({ 'net.ipv4.ip_unprivileged_port_start': '0' });
  });

  it('leaves out groups of the image that are not mapped, and refuses ids that were asked for', () => {
    const { spec } = build({ userns: '100000:100000:3' });
    expect(spec.process.user.additionalGids).toEqual([0, 1]);
    expect(() => build({ userns: '100000:100000:3', groupAdd: [7] })).toThrow(
      'the group 7 of the program is not in the map of --userns',
    );
    expect(() => build({ userns: '100000:100000:3', user: '5' })).toThrow(
      'the user 5 of the program is not in the map of --userns',
    );
  });

  it('offsets clocks', () => {
    expect(build({ timeOffsets: { monotonic: 1.25, boottime: -0.5 } }).spec.linux.timeOffsets).toEqual({
      monotonic: { secs: 1, nanosecs: 250000000 },
      boottime: { secs: -1, nanosecs: 500000000 },
    });
    expect(refusal(() => build({ timeOffsets: { boottime: Number.NaN } }))).toContain(
      'not a number of seconds',
    );
    expect(refusal(() => build({ timeOffsets: { bootime: 1 } as object }))).toContain(
      'did you mean boottime?',
    );
  });

  it.each([
    [{ pid: 'hosst' }, '--pid hosst: neither private nor host; did you mean host?'],
    [{ ipc: 'container:x' }, '--ipc container:x: neither'],
  ])('refuses %j', (options, message) => {
    expect(refusal(() => build(options as object))).toContain(message);
  });
});

describe('the name', () => {
  it('is the id’s beginning, the one asked for, or the host’s', () => {
    expect(build({ hostname: 'web', domainname: 'example.org' }).spec).toMatchObject({
      hostname: 'web',
      domainname: 'example.org',
    });
    const shared = build({ network: 'host' });
    expect(shared.spec.hostname).toBe('tower');
    expect(shared.spec.process.env).toContain('HOSTNAME=tower');
    const host = build({ uts: 'host' });
    expect(host.spec).not.toHaveProperty('hostname');
    expect(host.files[0]?.content).toBe('tower\n');
  });
  it('cannot be changed where it is the host’s', () => {
    expect(refusal(() => build({ uts: 'host', hostname: 'web' }))).toContain(
      'cannot be combined with --uts host',
    );
    expect(refusal(() => build({ uts: 'host', domainname: 'x' }))).toContain(
      'cannot be combined with --uts host',
    );
    expect(refusal(() => build({ hostname: 'a b' }))).toContain('--hostname "a b": not a host name');
  });
});

describe('resources', () => {
  const limits = (options: object) => {
    const { devices, ...rest } = build(options, {
      host: {
        texts: { '/sys/devices/system/cpu/online': '0-3\n' },
        statuses: { '/dev/sda': { type: 'block', major: 8, minor: 0 } },
      },
    }).spec.linux.resources as Record<string, unknown>;
    return rest;
  };
  it.each([
    [{}, {}],
    [{ memory: '64m' }, { memory: { limit: 67108864, swap: 134217728 } }],
    [{ memory: 67108864 }, { memory: { limit: 67108864, swap: 134217728 } }],
    [{ memory: '64m', memorySwap: '64m' }, { memory: { limit: 67108864, swap: 67108864 } }],
    [{ memory: '64m', memorySwap: '-1' }, { memory: { limit: 67108864, swap: -1 } }],
    [{ memory: '64m', memorySwap: 0 }, { memory: { limit: 67108864, swap: 134217728 } }],
    [
      { memory: '64m', memoryReservation: '32m' },
      { memory: { limit: 67108864, reservation: 33554432, swap: 134217728 } },
    ],
    [{ memoryReservation: '32m' }, { memory: { reservation: 33554432 } }],
    [{ memory: 0, memorySwap: -1 }, {}],
    [{ cpus: '0.5' }, { cpu: { quota: 50000, period: 100000 } }],
    [{ cpus: 4 }, { cpu: { quota: 400000, period: 100000 } }],
    [{ cpus: 0 }, {}],
    [
      { cpuShares: 512, cpusetCpus: '0,2-3', cpusetMems: '0' },
      { cpu: { shares: 512, cpus: '0,2-3', mems: '0' } },
    ],
    [{ cpuPeriod: 50000, cpuQuota: 25000 }, { cpu: { period: 50000, quota: 25000 } }],
    [{ cpuQuota: -1, cpuPeriod: 0, cpuShares: 0 }, {}],
    [{ cpuWeight: 50 }, { unified: { 'cpu.weight': '50' } }],
    [{ pidsLimit: 20 }, { pids: { limit: 20 } }],
    [{ pidsLimit: 0 }, {}],
    [{ pidsLimit: -1 }, {}],
    [{ blkioWeight: 500 }, { blockIO: { weight: 500 } }],
    [
      { deviceReadBps: ['/dev/sda:1m'], deviceWriteIops: ['/dev/sda:10'] },
      {
        blockIO: {
          throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 1048576 }],
          throttleWriteIOPSDevice: [{ major: 8, minor: 0, rate: 10 }],
        },
      },
    ],
  ])('%j: %j', (options, expected) => {
    expect(limits(options)).toEqual(expected);
  });

  it.each([
    [{ memory: '4m' }, '--memory 4m: the least is 6 MiB'],
    [{ memory: '-1' }, '--memory -1: not a size'],
    [{ memoryReservation: '4m' }, '--memory-reservation 4m: the least is 6 MiB'],
    [{ memory: '32m', memoryReservation: '64m' }, '--memory-reservation 64m: above the limit of --memory'],
    [{ memorySwap: '64m' }, '--memory-swap 64m: needs --memory'],
    [{ memory: '64m', memorySwap: '32m' }, '--memory-swap 32m: is memory and swap together'],
    [{ cpus: '5' }, 'range of CPUs is from 0.01 to 4.00'],
    [{ cpus: '1', cpuQuota: 5000 }, '--cpus 1: cannot be combined with --cpu-quota'],
    [{ cpus: '1', cpuPeriod: 5000 }, '--cpus 1: cannot be combined with --cpu-period'],
    [{ cpuPeriod: 999 }, '--cpu-period 999: not in the range'],
    [{ cpuQuota: 999 }, '--cpu-quota 999: not in the range'],
    [{ cpuShares: 1 }, '--cpu-shares 1: not in the range from 2 to 262144'],
    [{ cpuWeight: 0 }, '--cpu-weight 0: not in the range from 1 to 10000'],
    [{ cpuWeight: 5, cpuShares: 5 }, '--cpu-weight 5: cannot be combined with --cpu-shares'],
    [{ cpusetCpus: '4' }, '--cpuset-cpus 4: 4 not available (available: 0-3)'],
    [{ cpusetMems: '1' }, '--cpuset-mems 1: 1 not available (available: 0)'],
    [{ pidsLimit: -2 }, '--pids-limit -2: not in the range'],
    [{ blkioWeight: 5 }, '--blkio-weight 5: not in the range from 10 to 1000'],
    [{ deviceReadBps: ['/dev/null:1m'] }, '--device-read-bps /dev/null:1m: /dev/null is not there'],
  ])('refuses %j', (options, message) => {
    expect(refusal(() => limits(options))).toContain(message);
  });
});

describe('cgroup, sysctls', () => {
  it('puts the group below the parent', () => {
    expect(build({ cgroupParent: 'batch/a/' }).spec.linux.cgroupsPath).toBe(
      '/batch/a/f00dcafe1234567890abcdef',
    );
    expect(build({ cgroupParent: '/x' }).spec.linux.cgroupsPath).toBe('/x/f00dcafe1234567890abcdef');
    for (const cgroupParent of ['..', '/a/../../b', 'a\0', 'a\nb']) {
      expect(refusal(() => build({ cgroupParent }))).toContain('--cgroup-parent');
    }
  });
  it('lets one’s own sysctl win, and refuses the host’s', () => {
    const host = { texts: { '/proc/sys/net/ipv4/ip_unprivileged_port_start': '' } };
    const asked = { 'net.ipv4.ip_unprivileged_port_start': '500' };
    expect(build({ sysctls: asked }, { host }).spec.linux.sysctl).toEqual(asked);
    expect(build({ network: 'host' }, { host }).spec.linux.sysctl).toEqual({});
    expect(refusal(() => build({ network: 'host', sysctls: asked }))).toContain('--network host');
    expect(refusal(() => build({ sysctls: { 'kernel.core_pattern': '|/evil' } }))).toContain('--sysctl');
  });
});

describe('privilege', () => {
  const host = {
    statuses: {
      '/dev/sda': { type: 'block' as const, major: 8, minor: 0, mode: 0o660 },
      '/dev/null': { type: 'character' as const, major: 1, minor: 3 },
      '/dev/console': { type: 'character' as const, major: 5, minor: 1 },
      '/dev/pts': { type: 'directory' as const },
      '/dev/pts/0': { type: 'character' as const, major: 136, minor: 0 },
      '/dev/input': { type: 'directory' as const },
      '/dev/input/mice': { type: 'character' as const, major: 13, minor: 63 },
    },
  };
  it('is everything', () => {
    const { spec, seccomp } = build({ privileged: true }, { host });
    expect(spec.process.capabilities?.effective).toHaveLength(41);
    expect(spec.process.capabilities?.effective).toContain('CAP_SYS_ADMIN');
    expect(seccomp).toEqual({ kind: 'unconfined' });
    expect(spec.linux.maskedPaths).toEqual([]);
    expect(spec.linux.readonlyPaths).toEqual([]);
    expect(spec.linux.resources?.devices).toEqual([{ allow: true, type: 'a', access: 'rwm' }]);
    expect(spec.linux.devices?.map((device) => device.path)).toEqual(['/dev/input/mice', '/dev/sda']);
    for (const place of ['/sys', '/sys/fs/cgroup']) {
      const mount = spec.mounts.find(({ destination }) => destination === place);
      expect(mount?.options).toEqual(['nosuid', 'noexec', 'nodev']);
    }
  });
  it('keeps a seccomp profile that was named', () => {
    expect(build({ privileged: true, securityOpt: ['seccomp=p.json'] }).seccomp).toEqual({
      kind: 'file',
      path: 'p.json',
    });
    expect(build({ securityOpt: ['seccomp=unconfined'] }).seccomp).toEqual({ kind: 'unconfined' });
  });
  it('can be only of the system’s paths', () => {
    const { spec } = build({ securityOpt: ['systempaths=unconfined'] });
    expect(spec.linux.maskedPaths).toEqual([]);
    expect(spec.linux.readonlyPaths).toEqual([]);
    expect(spec.process.capabilities?.effective).toHaveLength(14);
  });
  it('is given a device at a time', () => {
    const { linux } = build(
      { devices: ['/dev/sda:/dev/disk:r'], deviceCgroupRules: ['c 10:* rw'] },
      { host },
    ).spec;
    expect(linux.devices).toEqual([
      { type: 'b', path: '/dev/disk', major: 8, minor: 0, fileMode: 0o660, uid: 0, gid: 0 },
    ]);
    expect(linux.resources?.devices?.slice(-2)).toEqual([
      { allow: true, type: 'b', major: 8, minor: 0, access: 'r' },
      { allow: true, type: 'c', major: 10, minor: -1, access: 'rw' },
    ]);
  });
});
