import type { Check, Machine } from './check.ts';

/** Root with the capability that everything else hangs on: root in somebody's container may be without it. */
export function root(machine: Machine): Check {
  const name = 'root';
  if (machine.uid !== 0) {
    return {
      name,
      ok: false,
      detail: `user ${machine.uid}`,
      cost: 'no container can be started; `tsbox run --explain` works',
      fix: 'sudo tsbox …',
    };
  }
  const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(machine.read('/proc/self/status') ?? '')?.[1];
  if (mask === undefined)
    return { name, ok: 'unknown', detail: 'user 0; its capabilities are not in /proc/self/status' };
  const missing = NEEDED.filter(([, bit]) => ((BigInt(`0x${mask}`) >> BigInt(bit)) & 1n) === 0n).map(
    ([name]) => name,
  );
  if (missing.length === 0) return { name, ok: true, detail: 'user 0, with the capabilities needed' };
  return {
    name,
    ok: false,
    detail: `user 0 without ${missing.join(', ')}`,
    cost: 'no container can be started',
    fix: 'inside a container, start the outer one with `--privileged`',
  };
}

/**
 * The root directory must be a mount point, else no mount can be moved over it and its propagation cannot be changed. In a
 * chroot it is not, and the kernel then leaves the mount it is a part of out of mountinfo (proc_pid_mountinfo(5)).
 */
export function rootDirectory(machine: Machine): Check {
  const name = 'root directory';
  const mounts = machine.read('/proc/self/mountinfo');
  if (mounts === undefined) return { name, ok: 'unknown', detail: '/proc/self/mountinfo cannot be read' };
  if (mounts.split('\n').some((line) => line.split(' ')[4] === '/'))
    return { name, ok: true, detail: 'a mount point' };
  return {
    name,
    ok: false,
    detail: 'not a mount point: this is a chroot',
    cost: 'no container can be started',
    fix: 'run tsbox outside, or `mount --bind DIRECTORY DIRECTORY` before the chroot into it',
  };
}

/** Numbers from linux/capability.h. */
const NEEDED = [
  ['CAP_SYS_ADMIN', 21],
  ['CAP_MKNOD', 27],
  ['CAP_SYS_CHROOT', 18],
  ['CAP_SETUID', 7],
  ['CAP_SETGID', 6],
  ['CAP_SETPCAP', 8],
] as const;
