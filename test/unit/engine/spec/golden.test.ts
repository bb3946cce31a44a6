import { expect, it } from 'vitest';
import { buildSpec } from '../../../../src/engine/spec/index.ts';
import { fakeHost } from '../fake-host.ts';
import { alpine } from './alpine.ts';

/**
 * What Docker gives `docker run alpine sh`, written down by hand from moby's oci/defaults.go, oci/caps/defaults.go and daemon/oci_linux.go, and runc's
 * default device rules; and where tsbox differs on purpose.
 */
it('makes of a plain `run alpine sh` what Docker makes of it', () => {
  const built = buildSpec({
    id: 'f00dcafe1234567890abcdef',
    options: {},
    image: { config: alpine.config },
    command: ['sh'],
    readImageFile: alpine.readImageFile,
    host: fakeHost({
      texts: {
        '/proc/sys/net/ipv4/ping_group_range': '1\t0\n',
        '/proc/sys/net/ipv4/ip_unprivileged_port_start': '1024\n',
        '/proc/self/limits':
          'Limit                     Soft Limit           Hard Limit           Units     \n' +
          'Max open files            524288               524288               files     \n',
        '/etc/resolv.conf': '# by hand\nsearch example.org\nnameserver 192.0.2.53\nnameserver 127.0.0.1\n',
        '/sys/devices/system/cpu/cpu1/thermal_throttle': '',
      },
    }),
  });

  const fourteen = [
    'CAP_CHOWN',
    'CAP_DAC_OVERRIDE',
    'CAP_FSETID',
    'CAP_FOWNER',
    'CAP_MKNOD',
    'CAP_NET_RAW',
    'CAP_SETGID',
    'CAP_SETUID',
    'CAP_SETFCAP',
    'CAP_SETPCAP',
    'CAP_NET_BIND_SERVICE',
    'CAP_SYS_CHROOT',
    'CAP_KILL',
    'CAP_AUDIT_WRITE',
  ];
  expect(built.spec).toEqual({
    ociVersion: '1.2.0',
    root: { path: 'rootfs' },
    hostname: 'f00dcafe1234',
    process: {
      terminal: false,
      user: { uid: 0, gid: 0, additionalGids: [0, 1, 10] },
      args: ['sh'],
      env: [
        'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        'HOSTNAME=f00dcafe1234',
        'HOME=/root',
      ],
      cwd: '/',
      capabilities: {
        bounding: fourteen,
        effective: fourteen,
        inheritable: [],
        permitted: fourteen,
        ambient: [],
      },
      // Not Docker's doing but systemd's, which starts dockerd with 1024:524288.
      rlimits: [{ type: 'RLIMIT_NOFILE', soft: 1024, hard: 524288 }],
      noNewPrivileges: false,
    },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
      {
        destination: '/dev',
        type: 'tmpfs',
        source: 'tmpfs',
        options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
      },
      {
        destination: '/dev/pts',
        type: 'devpts',
        source: 'devpts',
        options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
      },
      { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
      {
        destination: '/sys/fs/cgroup',
        type: 'cgroup',
        source: 'cgroup',
        options: ['nosuid', 'noexec', 'nodev', 'ro'],
      },
      {
        destination: '/dev/mqueue',
        type: 'mqueue',
        source: 'mqueue',
        options: ['nosuid', 'noexec', 'nodev'],
      },
      {
        destination: '/dev/shm',
        type: 'tmpfs',
        source: 'shm',
        options: ['nosuid', 'noexec', 'nodev', 'mode=1777', 'size=67108864'],
      },
    ],
    linux: {
      namespaces: [
        { type: 'mount' },
        { type: 'network' },
        { type: 'uts' },
        { type: 'pid' },
        { type: 'ipc' },
        { type: 'cgroup' },
      ],
      devices: [],
      cgroupsPath: '/tsbox/f00dcafe1234567890abcdef',
      resources: {
        devices: [
          { allow: false, access: 'rwm' },
          { allow: true, type: 'c', access: 'm' },
          { allow: true, type: 'b', access: 'm' },
          { allow: true, type: 'c', major: 1, minor: 3, access: 'rwm' },
          { allow: true, type: 'c', major: 1, minor: 5, access: 'rwm' },
          { allow: true, type: 'c', major: 1, minor: 7, access: 'rwm' },
          { allow: true, type: 'c', major: 1, minor: 8, access: 'rwm' },
          { allow: true, type: 'c', major: 1, minor: 9, access: 'rwm' },
          { allow: true, type: 'c', major: 5, minor: 0, access: 'rwm' },
          { allow: true, type: 'c', major: 5, minor: 1, access: 'rwm' },
          { allow: true, type: 'c', major: 5, minor: 2, access: 'rwm' },
          { allow: true, type: 'c', major: 136, access: 'rwm' },
        ],
      },
      sysctl: { 'net.ipv4.ping_group_range': '0 2147483647', 'net.ipv4.ip_unprivileged_port_start': '0' },
      maskedPaths: [
        '/proc/acpi',
        '/proc/asound',
        '/proc/interrupts',
        '/proc/kcore',
        '/proc/keys',
        '/proc/latency_stats',
        '/proc/sched_debug',
        '/proc/scsi',
        '/proc/timer_list',
        '/proc/timer_stats',
        '/sys/devices/virtual/powercap',
        '/sys/firmware',
        '/sys/devices/system/cpu/cpu1/thermal_throttle',
      ],
      readonlyPaths: ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
    },
  });
  expect({ ...built, spec: undefined }).toEqual({
    spec: undefined,
    seccomp: { kind: 'default' },
    files: [
      { path: '/etc/hostname', content: 'f00dcafe1234\n', mode: 0o644 },
      {
        path: '/etc/hosts',
        content:
          '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::\tip6-localnet\n' +
          'ff00::\tip6-mcastprefix\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n',
        mode: 0o644,
      },
      { path: '/etc/resolv.conf', content: 'search example.org\nnameserver 192.0.2.53\n', mode: 0o644 },
    ],
    stopSignal: 15,
    stopTimeout: 10,
    init: false,
  });
});
