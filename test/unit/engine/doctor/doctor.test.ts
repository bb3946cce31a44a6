import { describe, expect, it } from 'vitest';
import type { CgroupHost } from '../../../../src/cgroup/index.ts';
import type { Probe } from '../../../../src/engine/doctor/check.ts';
import { atLeast } from '../../../../src/engine/doctor/check.ts';
import { type Check, doctor, type Machine } from '../../../../src/engine/doctor/index.ts';
import type { ForwardChain } from '../../../../src/network/nat/index.ts';

const EPERM = 1;
const EINVAL = 22;
const ENOSYS = 38;

const PURE: CgroupHost = {
  mountPoint: '/sys/fs/cgroup',
  root: '/',
  mode: 'pure',
  controllers: ['cpuset', 'cpu', 'io', 'memory', 'pids'],
  v1: {},
  readOnly: false,
};

/** As Docker leaves iptables. */
const FORWARD: ForwardChain = { table: 'ip filter', name: 'FORWARD', policy: 'drop', knows: false };

interface Facts {
  release?: string;
  uid?: number;
  files?: Record<string, string | undefined>;
  cgroup?: Partial<CgroupHost> | Error;
  errors?: Partial<Record<Probe, number>>;
  nft?: null;
  rules?: string;
  chains?: ForwardChain[];
}

/** Debian 12 as root, but for what is given. */
function machine(facts: Facts = {}): Machine {
  const files: Record<string, string | undefined> = {
    '/proc/self/status': 'Name:\tnode\nCapEff:\t000001ffffffffff\n',
    '/proc/self/mountinfo': '22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n',
    '/proc/filesystems': 'nodev\tsysfs\nnodev\toverlay\n\text4\n',
    '/proc/cmdline': 'BOOT_IMAGE=/vmlinuz quiet\n',
    '/proc/sys/net/ipv4/ip_forward': '0\n',
    '/proc/sys/net/ipv6/conf/all/disable_ipv6': '0\n',
    ...Object.fromEntries(
      ['pid', 'mnt', 'uts', 'ipc', 'net', 'cgroup', 'user', 'time'].flatMap((type) => [
        [`/proc/self/ns/${type}`, ''],
        [`/proc/sys/user/max_${type}_namespaces`, '15000\n'],
      ]),
    ),
    ...facts.files,
  };
  return {
    release: facts.release ?? '6.1.0-18-amd64',
    architecture: 'x64',
    uid: facts.uid ?? 0,
    root: '/var/lib/tsbox',
    read: (path) => files[path],
    exists: (path) => files[path] !== undefined,
    cgroup() {
      if (facts.cgroup instanceof Error) throw facts.cgroup;
      return { ...PURE, ...facts.cgroup };
    },
    probe: (name) => facts.errors?.[name] ?? 0,
    nft: () => (facts.nft === null ? undefined : '/usr/sbin/nft'),
    rulesProblem: () => facts.rules,
    forwardChains: () => facts.chains ?? [],
  };
}

async function failing(facts: Facts): Promise<Check[]> {
  const checks = await doctor(machine(facts));
  return checks.filter((check) => check.ok !== true);
}

describe('doctor', () => {
  it('finds nothing wrong with a machine that is right', async () => {
    expect(await failing({})).toEqual([]);
  });

  it('recognizes a chroot by a root directory that is no mount point', async () => {
    const mountinfo = '40 39 0:21 / /proc rw,relatime - proc proc rw\n';
    expect(await failing({ files: { '/proc/self/mountinfo': mountinfo } })).toEqual([
      expect.objectContaining({
        name: 'root directory',
        ok: false,
        detail: 'not a mount point: this is a chroot',
      }),
    ]);
  });

  it('says of everything that is wrong what it costs and how to fix it', async () => {
    const errors = Object.fromEntries(
      [
        'clone3',
        'openat2',
        'pidfd_open',
        'mount_setattr',
        'fsopen',
        'overlay',
        'seccomp filter',
        'device program',
        'user namespace',
        'id-mapped mount',
        'bridge link',
        'veth link',
        'macvlan link',
        'ipvlan link',
      ].map((name) => [name, ENOSYS]),
    );
    const files = Object.fromEntries(
      ['pid', 'mnt', 'uts', 'ipc', 'net', 'cgroup', 'user', 'time'].map((type) => [
        `/proc/self/ns/${type}`,
        undefined,
      ]),
    );
    const checks = await doctor(
      machine({
        release: '4.19.0',
        files: {
          ...files,
          '/proc/filesystems': 'nodev\tsysfs\n',
          '/proc/sys/kernel/apparmor_restrict_unprivileged_userns': '1\n',
          '/proc/sys/kernel/unprivileged_userns_clone': '0\n',
          '/proc/self/status': 'CapEff:\t0000000000000000\n',
          '/proc/self/mountinfo': '',
          '/proc/sys/net/ipv4/ip_forward': undefined,
          '/proc/sys/net/ipv6/conf/all/disable_ipv6': undefined,
        },
        cgroup: { mode: 'hybrid', controllers: [], v1: { memory: '/sys/fs/cgroup/memory' } },
        errors,
        nft: null,
        chains: [FORWARD],
      }),
    );
    expect(checks.filter((check) => check.ok === true)).toEqual([]);
    expect(checks.filter((check) => !check.cost || !check.fix)).toEqual([]);
  });
});

describe('what is found', () => {
  it.each<[string, Facts, string, Partial<Check>]>([
    ['not root', { uid: 1000 }, 'root', { ok: false, detail: 'user 1000' }],
    [
      "root of a container, with Docker's capabilities",
      { files: { '/proc/self/status': 'CapEff:\t00000000a80425fb\n' } },
      'root',
      { ok: false, detail: 'user 0 without CAP_SYS_ADMIN' },
    ],
    ['an old kernel', { release: '5.10.0-28-amd64' }, 'kernel', { ok: false }],
    ['the oldest kernel', { release: '5.14.0-362.el9.x86_64' }, 'kernel', { ok: true }],
    [
      'no time namespace',
      { files: { '/proc/self/ns/time': undefined } },
      'time namespace',
      { ok: false, cost: '`--time-offset` does not work' },
    ],
    [
      'user namespaces limited to none',
      { files: { '/proc/sys/user/max_user_namespaces': '0\n' } },
      'user namespace',
      { ok: false, fix: 'sysctl -w user.max_user_namespaces=15000' },
    ],
    [
      "Ubuntu's restriction",
      { files: { '/proc/sys/kernel/apparmor_restrict_unprivileged_userns': '1\n' } },
      "AppArmor's user-namespace restriction",
      { ok: false, detail: 'on (kernel.apparmor_restrict_unprivileged_userns is 1)' },
    ],
    [
      "Ubuntu's restriction, off",
      { files: { '/proc/sys/kernel/apparmor_restrict_unprivileged_userns': '0\n' } },
      "AppArmor's user-namespace restriction",
      { ok: true },
    ],
    [
      'no cgroup v2',
      { cgroup: new Error('cgroup v2 is not mounted') },
      'cgroup v2',
      { ok: false, detail: 'cgroup v2 is not mounted' },
    ],
    [
      'a read-only cgroup v2',
      { cgroup: { readOnly: true } },
      'cgroup v2',
      { ok: false, detail: 'at /sys/fs/cgroup, read-only' },
    ],
    [
      'a hybrid host',
      {
        cgroup: {
          mode: 'hybrid',
          mountPoint: '/sys/fs/cgroup/unified',
          controllers: [],
          v1: { blkio: '/sys/fs/cgroup/blkio' },
        },
      },
      'cgroup controller io',
      { ok: false, detail: 'cgroup v1 owns it (/sys/fs/cgroup/blkio)' },
    ],
    [
      'memory switched off at boot',
      { cgroup: { controllers: ['cpu'] }, files: { '/proc/cmdline': 'quiet cgroup_disable=memory\n' } },
      'cgroup controller memory',
      { ok: false, detail: 'switched off at boot (cgroup_disable=memory)' },
    ],
    [
      'a controller not handed down',
      { cgroup: { controllers: ['pids'], root: '/user.slice' } },
      'cgroup controller cpu',
      { ok: false, fix: 'echo +cpu > cgroup.subtree_control, in the group above /sys/fs/cgroup on the host' },
    ],
    [
      'no bridges',
      { errors: { 'bridge link': 95 } },
      'links of the kind bridge',
      { ok: false, detail: 'tried: EOPNOTSUPP' },
    ],
    ['no nft', { nft: null }, 'nft', { ok: false, fix: 'install the package nftables (apt-get, dnf, apk)' }],
    [
      'a kernel without NAT',
      { rules: 'Could not process rule: No such file or directory' },
      'nftables in the kernel',
      {
        ok: false,
        detail: 'Could not process rule: No such file or directory',
        cost: 'only --network none and host work',
      },
    ],
    ['forwarding on', { files: { '/proc/sys/net/ipv4/ip_forward': '1\n' } }, 'forwarding', { ok: true }],
    [
      'forwarding off where it cannot be switched on',
      {
        files: {
          '/proc/self/mountinfo':
            '1 0 0:5 / / rw - overlay o rw\n2 1 0:5 /sys /proc/sys ro,nosuid - proc proc rw\n',
        },
      },
      'forwarding',
      { ok: false, detail: 'off (net.ipv4.ip_forward is 0), and /proc/sys is read-only' },
    ],
    [
      'IPv6 off',
      { files: { '/proc/sys/net/ipv6/conf/all/disable_ipv6': '1\n' } },
      'IPv6',
      { ok: false, detail: 'off (net.ipv6.conf.all.disable_ipv6 is 1)' },
    ],
    [
      "Docker's firewall",
      { chains: [FORWARD], files: { '/etc/docker': '' } },
      'other firewalls',
      {
        ok: false,
        detail: 'ip filter FORWARD drops what is forwarded',
        fix: 'iptables -I DOCKER-USER -i tsbox0 -j ACCEPT && iptables -I DOCKER-USER -o tsbox0 -j ACCEPT',
      },
    ],
    [
      'ufw',
      { chains: [FORWARD], files: { '/etc/ufw/ufw.conf': '' } },
      'other firewalls',
      { ok: false, fix: 'ufw route allow in on tsbox0 && ufw route allow out on tsbox0' },
    ],
    [
      'firewalld, which accepts by policy and rejects by a rule',
      { chains: [{ table: 'inet firewalld', name: 'filter_FORWARD', policy: 'accept', knows: false }] },
      'other firewalls',
      {
        ok: false,
        fix: 'firewall-cmd --permanent --zone=trusted --add-interface=tsbox0 && firewall-cmd --reload',
      },
    ],
    [
      'a firewall that knows our bridge',
      { chains: [{ ...FORWARD, knows: true }] },
      'other firewalls',
      { ok: true },
    ],
    [
      'a firewall that lets through what it does not know',
      { chains: [{ ...FORWARD, policy: 'accept' }] },
      'other firewalls',
      { ok: true, detail: 'none that drops what is forwarded' },
    ],
    [
      'iptables-legacy',
      { files: { '/proc/net/ip_tables_names': 'nat\nfilter\n' } },
      'other firewalls',
      { ok: 'unknown' },
    ],
    ['overlayfs as a module', { files: { '/proc/filesystems': '\text4\n' } }, 'overlayfs', { ok: true }],
    [
      'no overlayfs as far as a user can tell',
      { uid: 1000, files: { '/proc/filesystems': '\text4\n' } },
      'overlayfs',
      {
        ok: 'unknown',
        fix: 'modprobe overlay, and a line `overlay` in /etc/modules-load.d/overlay.conf to keep it',
      },
    ],
    [
      'a store on an overlay',
      { errors: { overlay: EINVAL } },
      'file system of the store',
      { ok: false, detail: 'an overlay cannot be written in /var/lib/tsbox: EINVAL' },
    ],
    [
      'a store that cannot be mapped',
      { errors: { 'id-mapped mount': EINVAL } },
      'id-mapped mounts',
      { ok: false, cost: '`--userns` does not work' },
    ],
    [
      'a kernel without mapped layers',
      { release: '5.15.0' },
      'id-mapped mounts',
      { ok: false, fix: 'install a kernel of 5.19 or newer' },
    ],
    [
      'a locked-down kernel',
      { errors: { 'device program': EPERM } },
      'eBPF device rules',
      { ok: false, detail: 'tried: EPERM' },
    ],
    ['a user who cannot load programs', { uid: 1000 }, 'eBPF device rules', { ok: 'unknown' }],
    [
      'a filter that hides clone3',
      { errors: { clone3: ENOSYS } },
      'clone3',
      { ok: false, cost: 'no container can be started' },
    ],
  ])('%s', async (_, facts, name, expected) => {
    const checks = await doctor(machine(facts));
    expect(checks.find((check) => check.name === name)).toMatchObject(expected);
  });
});

describe('atLeast', () => {
  it.each([
    ['5.14.0', '5.14', true],
    ['5.9.0', '5.14', false],
    ['6.1.0-18-amd64', '5.14', true],
    ['10.0-rc1', '5.14', true],
    ['5.13.19', '5.14', false],
  ])('%s is at least %s: %s', (release, version, expected) =>
    expect(atLeast(release, version)).toBe(expected),
  );
});
