import type { CgroupHost } from '../../cgroup/index.ts';
import type { Check, Machine } from './check.ts';

/** cgroup v2, and each controller that a flag of `tsbox run` needs. */
export function cgroupChecks(machine: Machine): Check[] {
  const name = 'cgroup v2';
  let host: CgroupHost;
  try {
    host = machine.cgroup();
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return [{ name, ok: false, detail, cost: 'no container can be started', fix: BOOT }];
  }
  return [mounted(name, host), ...CONTROLLERS.map((controller) => check(machine, host, controller))];
}

/** The one way out of v1, with systemd or another init. */
const BOOT =
  'add `systemd.unified_cgroup_hierarchy=1` (without systemd `cgroup_no_v1=all`) to GRUB_CMDLINE_LINUX in /etc/default/grub, then `update-grub` and reboot';

function mounted(name: string, host: CgroupHost): Check {
  const detail = `at ${host.mountPoint}`;
  if (host.readOnly) {
    const fix =
      'inside a container, start the outer one with `--privileged` (Docker: also `--cgroupns private`)';
    return { name, ok: false, detail: `${detail}, read-only`, cost: 'no container can be started', fix };
  }
  if (host.mode === 'pure') return { name, ok: true, detail };
  return {
    name,
    ok: false,
    detail: `${detail}, but hybrid: cgroup v1 is mounted too and owns ${Object.keys(host.v1).join(', ')}`,
    cost: 'containers run, but without the limits whose controller v1 owns',
    fix: BOOT,
  };
}

const CONTROLLERS = [
  { name: 'cpu', v1: 'cpu', flags: '--cpus, --cpu-shares, --cpu-weight, --cpu-quota' },
  { name: 'cpuset', v1: 'cpuset', flags: '--cpuset-cpus, --cpuset-mems' },
  { name: 'io', v1: 'blkio', flags: '--blkio-weight, --device-read-bps and its like' },
  { name: 'memory', v1: 'memory', flags: '--memory, --memory-swap, --memory-reservation' },
  { name: 'pids', v1: 'pids', flags: '--pids-limit' },
];

function check(machine: Machine, host: CgroupHost, { name, v1, flags }: (typeof CONTROLLERS)[number]): Check {
  const title = `cgroup controller ${name}`;
  if (host.controllers.includes(name)) return { name: title, ok: true, detail: 'there' };
  const cost = `${flags}: refused`;
  const owner = host.v1[v1];
  if (owner !== undefined) {
    return { name: title, ok: false, detail: `cgroup v1 owns it (${owner})`, cost, fix: BOOT };
  }
  // In a container, or a user's session, the group above hands out what there is.
  if (host.root !== '/' || machine.exists(`${host.mountPoint}/cgroup.type`)) {
    const fix = `echo +${name} > cgroup.subtree_control, in the group above ${host.mountPoint} on the host`;
    return { name: title, ok: false, detail: 'the group above does not hand it down', cost, fix };
  }
  const disabled = new RegExp(`cgroup_disable=\\S*\\b${name}\\b`).exec(
    machine.read('/proc/cmdline') ?? '',
  )?.[0];
  const detail =
    disabled === undefined ? 'this kernel does not have it' : `switched off at boot (${disabled})`;
  const fix =
    disabled === undefined
      ? `boot with \`cgroup_enable=${name}\` (Raspberry Pi: in /boot/firmware/cmdline.txt), or a kernel built with it`
      : `take \`${disabled}\` out of the kernel's command line and reboot`;
  return { name: title, ok: false, detail, cost, fix };
}
