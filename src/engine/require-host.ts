import { TsboxError } from '../kernel/index.ts';

export function requireRoot(): void {
  if (process.geteuid?.() === 0) return;
  throw new TsboxError('NOT_ROOT', 'making namespaces, mounts and cgroups needs root', {
    advice: 'run it with sudo',
  });
}

/** mount_setattr is of Linux 5.12, cgroup.kill of 5.14. */
export function requireKernel({ major, minor }: { major: number; minor: number }): void {
  if (major > 5 || (major === 5 && minor >= 14)) return;
  throw new TsboxError('KERNEL_TOO_OLD', `tsbox needs Linux 5.14 or newer; this is ${major}.${minor}`, {
    advice: 'Debian 12, Ubuntu 22.04 and RHEL 9 have newer ones; `tsbox doctor` shows what else is missing',
  });
}
