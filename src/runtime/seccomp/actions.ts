import type { Seccomp } from '../spec.ts';

/** What a filter returns to let a call through, or to kill the thread that made it (linux/seccomp.h). */
export const SECCOMP_RET_ALLOW = 0x7fff0000;
export const SECCOMP_RET_KILL_THREAD = 0;
export const SECCOMP_RET_ERRNO = 0x00050000;

/** OCI's actions as the filter's return values; the low 16 bits of ERRNO and TRACE carry `errnoRet`. */
const ACTIONS: Record<string, number | undefined> = {
  SCMP_ACT_KILL: SECCOMP_RET_KILL_THREAD,
  SCMP_ACT_KILL_THREAD: SECCOMP_RET_KILL_THREAD,
  SCMP_ACT_KILL_PROCESS: 0x80000000,
  SCMP_ACT_TRAP: 0x00030000,
  SCMP_ACT_ERRNO: SECCOMP_RET_ERRNO,
  SCMP_ACT_TRACE: 0x7ff00000,
  SCMP_ACT_LOG: 0x7ffc0000,
  SCMP_ACT_NOTIFY: 0x7fc00000,
  SCMP_ACT_ALLOW: SECCOMP_RET_ALLOW,
};

const EPERM = 1;

/** The known actions. */
export const ACTION_NAMES = Object.keys(ACTIONS);

/** Whether `errnoRet` means something to the action. */
export function takesErrno(action: string): boolean {
  return action === 'SCMP_ACT_ERRNO' || action === 'SCMP_ACT_TRACE';
}

/** The return value of an action that `checkSeccomp` accepted. `errnoRet` defaults to EPERM, as the runtime specification says. */
export function returnValue(action: string, errnoRet: number | undefined): number {
  const value = ACTIONS[action] ?? SECCOMP_RET_KILL_THREAD;
  return takesErrno(action) ? value + (errnoRet ?? EPERM) : value;
}

/**
 * Whether calls that are newer than the profile get ENOSYS rather than the default action. As in runc: always, unless the default
 * lets calls through (a tracer counts as letting through).
 */
export function refusesByDefault(action: string): boolean {
  return !['SCMP_ACT_ALLOW', 'SCMP_ACT_LOG', 'SCMP_ACT_TRACE'].includes(action);
}

/** OCI's filter flags as seccomp(2)'s. */
export const FLAGS: Record<string, number | undefined> = {
  // Nothing to synchronise: the filter is installed in a process of one thread, just before exec.
  SECCOMP_FILTER_FLAG_TSYNC: 0,
  SECCOMP_FILTER_FLAG_LOG: 2,
  SECCOMP_FILTER_FLAG_SPEC_ALLOW: 4,
};

/** The flags of seccomp(SECCOMP_SET_MODE_FILTER) for this profile. */
export function filterFlags(seccomp: Seccomp): number {
  const listener = notifies(seccomp) ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0;
  return (seccomp.flags ?? []).reduce((flags, name) => flags | (FLAGS[name] ?? 0), listener);
}

/** Whether some calls are for somebody else to decide, over a descriptor that the filter comes with. */
export function notifies(seccomp: Seccomp): boolean {
  return (seccomp.syscalls ?? []).some(({ action }) => action === 'SCMP_ACT_NOTIFY');
}

const SECCOMP_FILTER_FLAG_NEW_LISTENER = 8;
