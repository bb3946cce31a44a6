import { deviceMounts } from '../runtime/device-mounts.ts';
import { OCI_VERSION } from './config/version.ts';

/**
 * A configuration to begin with, as `runc spec` gives: a shell with few capabilities in namespaces of its own.
 *
 * @param owner of the files of a container in a user namespace
 */
export function sampleConfig(owner?: { uid: number; gid: number }): object {
  const capabilities = ['CAP_AUDIT_WRITE', 'CAP_KILL', 'CAP_NET_BIND_SERVICE'];
  const namespaces = ['pid', 'ipc', 'uts', 'mount', 'cgroup', owner ? 'user' : 'network'].map((type) => ({
    type,
  }));
  const kernel = ['nosuid', 'noexec', 'nodev'];
  const { dev, pts, shm, mqueue } = deviceMounts('65536k', owner === undefined);
  const map = (hostID: number) => [{ containerID: 0, hostID, size: 1 }];
  return {
    ociVersion: OCI_VERSION,
    process: {
      terminal: true,
      user: { uid: 0, gid: 0 },
      args: ['sh'],
      env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'TERM=xterm'],
      cwd: '/',
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
      rlimits: [{ type: 'RLIMIT_NOFILE', hard: 1024, soft: 1024 }],
      noNewPrivileges: true,
    },
    root: { path: 'rootfs', readonly: true },
    hostname: 'tsbox',
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      dev,
      pts,
      shm,
      mqueue,
      owner
        ? { destination: '/sys', type: 'none', source: '/sys', options: ['rbind', ...kernel, 'ro'] }
        : { destination: '/sys', type: 'sysfs', source: 'sysfs', options: [...kernel, 'ro'] },
      {
        destination: '/sys/fs/cgroup',
        type: 'cgroup',
        source: 'cgroup',
        options: [...kernel, 'relatime', 'ro'],
      },
    ],
    linux: {
      ...(owner && { uidMappings: map(owner.uid), gidMappings: map(owner.gid) }),
      ...(!owner && { resources: { devices: [{ allow: false, access: 'rwm' }] } }),
      namespaces,
      maskedPaths: [
        'acpi',
        'asound',
        'kcore',
        'keys',
        'latency_stats',
        'timer_list',
        'timer_stats',
        'sched_debug',
        'scsi',
      ]
        .map((name) => `/proc/${name}`)
        .concat('/sys/firmware'),
      readonlyPaths: ['bus', 'fs', 'irq', 'sys', 'sysrq-trigger'].map((name) => `/proc/${name}`),
    },
  };
}
