import { Errno } from './errno.ts';
import { fields } from './fields.ts';
import { syscall } from './syscall.ts';

/** How a process ended. */
export type Death = { code: number } | { signal: number };

/** Opens a process by its PID, which is safe only while the PID cannot be taken by another: for a child that nobody has waited for yet. pidfd_open(2). */
export function openPidfd(pid: number): number {
  return syscall('pidfd_open', [pid, 0], { doing: `open process ${pid}` });
}

/**
 * Takes a dead child out of the process table: until somebody does, it stays as a zombie. waitid(2), with `__WALL` for a
 * child that was cloned without a signal to its parent.
 *
 * @returns undefined while it lives
 * @throws {KernelError} ECHILD where it is not our child, or somebody else has waited for it
 */
export function reap(pidfd: number, options: { wait?: boolean } = {}): Death | undefined {
  const info = Buffer.alloc(128);
  const flags = WEXITED | WALL | (options.wait ? 0 : WNOHANG);
  syscall('waitid', [P_PIDFD, pidfd, info, flags, null], { doing: 'wait for the process' });
  // waitid with WNOHANG succeeds with si_signo 0 where there is nothing to say.
  if (fields(info).getInt32(0, true) === 0) return undefined;
  const status = fields(info).getInt32(24, true);
  return fields(info).getInt32(8, true) === CLD_EXITED ? { code: status } : { signal: status };
}

/** Sends a signal. False where the process is gone; it can never reach another process that got the same PID. pidfd_send_signal(2). */
export function signalPidfd(pidfd: number, signal: number): boolean {
  const context = { doing: 'send a signal', allow: [Errno.ESRCH] };
  return syscall('pidfd_send_signal', [pidfd, signal, null, 0], context) === 0;
}

const P_PIDFD = 3;
const WNOHANG = 1;
const WEXITED = 4;
const WALL = 0x40000000;
const CLD_EXITED = 1;
