import { Errno, errnoName } from '../../kernel/index.ts';
import type { Check, Machine } from './check.ts';

/** What keeps a program in: seccomp, the device rules. */
export function securityChecks(machine: Machine): Check[] {
  return [seccomp(machine), devices(machine)];
}

function seccomp(machine: Machine): Check {
  const error = machine.probe('seccomp filter');
  if (error === 0) return { name: 'seccomp', ok: true, detail: 'the kernel takes filters' };
  return {
    name: 'seccomp',
    ok: false,
    detail: `the kernel takes no filters: ${errnoName(error)}`,
    cost: 'containers run only with `--security-opt seccomp=unconfined`: every system call is open to them',
    fix: 'a kernel built with CONFIG_SECCOMP_FILTER=y (those of the distributions are)',
  };
}

function devices(machine: Machine): Check {
  const name = 'eBPF device rules';
  if (machine.uid !== 0)
    return { name, ok: 'unknown', detail: 'only root can try', fix: 'sudo tsbox doctor' };
  const error = machine.probe('device program');
  if (error === 0) return { name, ok: true, detail: 'tried: the kernel takes such a program' };
  return {
    name,
    ok: false,
    detail: `tried: ${errnoName(error)}`,
    cost: 'no container can be started but with `--privileged`: nothing would keep it from the disks of the host',
    fix:
      error === Errno.EPERM
        ? 'inside a container, start the outer one with `--privileged`; else look whether the kernel is locked down (/sys/kernel/security/lockdown)'
        : 'a kernel built with CONFIG_CGROUP_BPF=y and CONFIG_BPF_SYSCALL=y (those of the distributions are)',
  };
}
