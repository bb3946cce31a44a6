import { CAPABILITIES } from '../../kernel/constants.ts';
import { mountWords } from '../../runtime/mount-options.ts';
import { ACTION_NAMES, FLAGS } from '../../runtime/seccomp/actions.ts';
import { OCI_ARCHITECTURES } from '../../runtime/seccomp/architectures.ts';
import { OPERATORS } from '../../runtime/seccomp/check.ts';
import { version } from '../../version.ts';
import { HOOK_KINDS } from '../config/index.ts';
import { OCI_VERSION } from '../config/version.ts';
import type { Call } from './call.ts';
import { print } from './print.ts';

/** What this runtime can do, by the specification's features.md. */
export function features(_: Call): undefined {
  print(`${JSON.stringify(FEATURES, null, 4)}\n`);
}

const FEATURES = {
  ociVersionMin: '1.0.0',
  ociVersionMax: OCI_VERSION,
  hooks: HOOK_KINDS,
  mountOptions: mountWords(),
  linux: {
    namespaces: ['cgroup', 'ipc', 'mount', 'network', 'pid', 'time', 'user', 'uts'],
    capabilities: CAPABILITIES,
    cgroup: { v1: false, v2: true, systemd: true, systemdUser: false, rdma: true },
    seccomp: {
      enabled: true,
      actions: ACTION_NAMES,
      operators: OPERATORS,
      archs: Object.keys(OCI_ARCHITECTURES),
      knownFlags: Object.keys(FLAGS),
      supportedFlags: Object.keys(FLAGS),
    },
    apparmor: { enabled: true },
    selinux: { enabled: false },
    intelRdt: { enabled: false },
    mountExtensions: { idmap: { enabled: true } },
  },
  annotations: { 'tsbox.version': version },
  potentiallyUnsafeConfigAnnotations: [],
};
