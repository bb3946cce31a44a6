import { readFileSync } from 'node:fs';

/** A process by more than its PID, which is given to another once it has ended: clock ticks from boot to its beginning, and which boot. */
export interface Life {
  pid: number;
  start: number;
  boot: string;
}

/** Undefined where nobody has this PID. */
export function lifeOf(pid: number): Life | undefined {
  const found = look(pid);
  return found === undefined ? undefined : { pid, start: found.start, boot: bootId() };
}

/** Whether it still runs: a zombie does not. */
export function isAlive({ pid, start, boot }: Life): boolean {
  const found = look(pid);
  return found !== undefined && found.start === start && !'ZX'.includes(found.state) && boot === bootId();
}

/** proc_pid_stat(5). */
function look(pid: number): { state: string; start: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name, field 2, is in parentheses and may have spaces and parentheses in it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] ?? 'X', start: Number(fields[19]) };
  } catch {
    return undefined;
  }
}

function bootId(): string {
  try {
    boot ??= readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch {
    boot = '';
  }
  return boot;
}

let boot: string | undefined;
