import type { Check, Machine } from './check.ts';

/** Each kind of namespace: whether the kernel was built with it, and whether the limit on their number leaves any. */
export function namespaceChecks(machine: Machine): Check[] {
  return TYPES.map((type) => namespace(machine, type));
}

interface NamespaceKind {
  name: string;
  /** In /proc/self/ns and in the limit's name. */
  file: string;
  config: string;
  cost: string;
}

const TYPES: NamespaceKind[] = [
  {
    name: 'PID',
    file: 'pid',
    config: 'CONFIG_PID_NS',
    cost: 'no container can be started, but with `--pid host`',
  },
  { name: 'mount', file: 'mnt', config: 'CONFIG_NAMESPACES', cost: 'no container can be started' },
  {
    name: 'UTS',
    file: 'uts',
    config: 'CONFIG_UTS_NS',
    cost: 'no host name of its own: only `--uts host` works',
  },
  { name: 'IPC', file: 'ipc', config: 'CONFIG_IPC_NS', cost: 'only `--ipc host` works' },
  { name: 'network', file: 'net', config: 'CONFIG_NET_NS', cost: 'only `--network host` works' },
  { name: 'cgroup', file: 'cgroup', config: 'CONFIG_CGROUPS', cost: 'only `--cgroupns host` works' },
  {
    name: 'user',
    file: 'user',
    config: 'CONFIG_USER_NS',
    cost: "`--userns` does not work: a container's root is the host's",
  },
  { name: 'time', file: 'time', config: 'CONFIG_TIME_NS', cost: '`--time-offset` does not work' },
];

function namespace(machine: Machine, { name, file, config, cost }: NamespaceKind): Check {
  const title = `${name} namespace`;
  if (!machine.exists(`/proc/self/ns/${file}`)) {
    const fix = `a kernel built with ${config}=y (those of the distributions are)`;
    return { name: title, ok: false, detail: `there is no /proc/self/ns/${file}`, cost, fix };
  }
  const limit = machine.read(`/proc/sys/user/max_${file}_namespaces`)?.trim();
  if (limit === '0') {
    const setting = `user.max_${file}_namespaces`;
    return { name: title, ok: false, detail: `${setting} is 0`, cost, fix: `sysctl -w ${setting}=15000` };
  }
  return {
    name: title,
    ok: true,
    detail: limit === undefined ? 'there' : `there, at most ${limit} for a user`,
  };
}
