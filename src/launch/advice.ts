import { Errno } from '../kernel/index.ts';
import type { Step } from './plan.ts';

/** What to do about a step that the kernel refused, where the cause is known. */
export function advice(step: Step, errno: number): string | undefined {
  if (errno === Errno.ENOSYS)
    return `this kernel has no ${step.call}; tsbox needs Linux 5.14 or newer (\`tsbox doctor\` checks)`;
  return RULES.find(
    ({ calls, errno: refused, path }) =>
      calls.includes(step.call) && refused === errno && (path === undefined || step.args[1] === path),
  )?.advice;
}

/** `path`: only of a call with this second argument. The first rule that fits counts. */
const RULES: { calls: string[]; errno: number; path?: string; advice: string }[] = [
  {
    calls: ['clone3', 'unshare', 'setns'],
    errno: Errno.EPERM,
    advice:
      'namespaces need root, or user namespaces allowed: sysctl kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu) or kernel.unprivileged_userns_clone=1 (older Debian); in a chroot there are none (clone(2))',
  },
  {
    calls: ['clone3', 'unshare'],
    errno: Errno.ENOSPC,
    advice: 'a limit on namespaces is reached: see /proc/sys/user/max_*_namespaces',
  },
  {
    calls: ['clone3'],
    errno: Errno.EAGAIN,
    advice: 'a limit on processes is reached: ulimit -u, or pids.max of the cgroup tsbox runs in',
  },
  {
    calls: ['clone3'],
    errno: Errno.EBUSY,
    advice: 'the cgroup has child groups with controllers enabled, so no process may be in it',
  },
  {
    calls: ['mount_setattr'],
    errno: Errno.EINVAL,
    path: '/',
    advice:
      'the root of this process is not a mount point, as in a chroot: run tsbox outside, or `mount --bind DIRECTORY DIRECTORY` before the chroot into it',
  },
  {
    calls: ['mount_setattr'],
    errno: Errno.EINVAL,
    advice:
      'the file system may not support id-mapped mounts (overlay layers need Linux 5.19); run without --userns, or keep the store on ext4, xfs or btrfs',
  },
  {
    calls: ['fsopen'],
    errno: Errno.ENODEV,
    advice: 'the kernel does not have this file system: load its module (modprobe)',
  },
  {
    calls: ['openat2'],
    errno: Errno.EXDEV,
    advice: 'a link on the way leads out of the volume',
  },
  {
    calls: ['mkdirat'],
    errno: Errno.EROFS,
    advice: 'the root file system is read-only and has no such directory to mount on',
  },
  {
    calls: ['prlimit64'],
    errno: Errno.EPERM,
    advice: 'raising a hard limit needs CAP_SYS_RESOURCE, which this process does not have',
  },
  {
    calls: ['pivot_root'],
    errno: Errno.EINVAL,
    advice: 'the host runs from an initramfs, which cannot be pivoted away from',
  },
];
