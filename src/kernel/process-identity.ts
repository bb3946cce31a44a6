import { readFileSync } from 'node:fs';
import { Errno } from './errno.ts';
import { closeDescriptor } from './files.ts';
import { syscall } from './syscall.ts';

/** A process by more than its PID, which is given to another once it has ended. */
export interface ProcessIdentity {
  pid: number;
  /** Clock ticks from boot to its beginning: field 22 of proc_pid_stat(5). */
  start: number;
}

/** Undefined where no process has this PID. */
export function identify(pid: number): ProcessIdentity | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, field 2, is in parentheses and may have spaces and parentheses in it.
    const start = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
    return Number.isSafeInteger(start) ? { pid, start } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Opens a process if it still is the one that was meant; a pidfd then stays with it. Undefined where that one has ended.
 *
 * @param process without `start` only the PID can be checked, as for a record of an older version
 */
export function openProcess(process: { pid: number; start?: number | undefined }): number | undefined {
  const pidfd = syscall('pidfd_open', [process.pid, 0], {
    doing: `open process ${process.pid}`,
    allow: [Errno.ESRCH, Errno.EINVAL],
  });
  if (pidfd < 0) return undefined;
  // Asked after it was opened: what is described now is what the descriptor holds, or has died since and is described no more.
  if (process.start === undefined || identify(process.pid)?.start === process.start) return pidfd;
  closeDescriptor(pidfd);
  return undefined;
}

/** The id of this boot: PIDs of another one mean nothing. Read once; empty where the kernel does not say. */
export function bootId(): string {
  boot ??= readBootId();
  return boot;
}

let boot: string | undefined;

function readBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}
