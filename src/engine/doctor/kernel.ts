import { Errno, errnoName } from '../../kernel/index.ts';
import { atLeast, type Check, type Machine, type Probe } from './check.ts';

/** The kernel's version and the system calls that a plan is made of. */
export function kernelChecks(machine: Machine): Check[] {
  return [
    version(machine),
    intoCgroup(machine),
    ...CALLS.map(({ probe, cost }) => call(machine, probe, cost)),
  ];
}

function version({ release, architecture }: Machine): Check {
  const detail = `${release} on ${architecture}`;
  if (atLeast(release, '5.14')) return { name: 'kernel', ok: true, detail };
  return {
    name: 'kernel',
    ok: false,
    detail: `${detail}, and 5.14 is the oldest that tsbox supports`,
    cost: 'containers cannot be killed as a whole (`cgroup.kill`, 5.14), or not be started at all (`mount_setattr`, 5.12)',
    fix: 'install a newer kernel: Debian 12, Ubuntu 22.04, Fedora 35 and RHEL 9 have one',
  };
}

const CALLS: { probe: Probe; cost: string }[] = [
  { probe: 'clone3', cost: 'no container can be started' },
  { probe: 'mount_setattr', cost: 'no container can be started' },
  { probe: 'openat2', cost: 'no layer can be unpacked' },
  { probe: 'pidfd_open', cost: 'no container can be waited for' },
];

/** A seccomp profile of somebody's container may hide a call that the kernel has: it then says ENOSYS or EPERM. */
function call(machine: Machine, probe: Probe, cost: string): Check {
  const error = machine.probe(probe);
  if (error === 0) return { name: probe, ok: true, detail: 'the system call is there' };
  const fix =
    error === Errno.ENOSYS && !atLeast(machine.release, '5.12')
      ? 'install a newer kernel'
      : 'inside a container, start the outer one with `--privileged` or `--security-opt seccomp=unconfined`';
  return {
    name: probe,
    ok: false,
    detail: `${errnoName(error)}: the kernel is too old, or a seccomp filter hides it`,
    cost,
    fix,
  };
}

/** Cannot be tried without starting a process; it is as old as the field of clone3's struct that asks for it. */
function intoCgroup({ release }: Machine): Check {
  const name = 'CLONE_INTO_CGROUP';
  if (atLeast(release, '5.7')) return { name, ok: true, detail: 'by the version: Linux has it since 5.7' };
  return {
    name,
    ok: false,
    detail: 'by the version: Linux has it since 5.7',
    cost: 'a program could run before its limits hold, so tsbox does not start it',
    fix: 'install a newer kernel',
  };
}
