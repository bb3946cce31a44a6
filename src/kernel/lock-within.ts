import { fstatSync, readFileSync, statSync } from 'node:fs';
import { elapsed } from './clock.ts';
import { TsboxError } from './error.ts';
import { type Lock, lockFile } from './flock.ts';

/**
 * Takes an exclusive lock that others hold for moments only. Who waits too long is told who has it: a process that hangs must not hang all the others.
 *
 * It asks again and again rather than once with a signal to end it: signals belong to the program that uses this library.
 *
 * @param target as for {@link lockFile}
 * @param what for the message: "the names"
 * @param seconds how long to wait; `TSBOX_LOCK_TIMEOUT` counts instead where it is set
 * @throws {TsboxError} LOCK_TIMEOUT, which names who has it
 */
export function lockWithin(target: string | number, what: string, seconds = 10): Lock {
  const at = lockFile(target, 'exclusive', { wait: false });
  return at ?? wait(target, what, Number(process.env.TSBOX_LOCK_TIMEOUT) || seconds);
}

function wait(target: string | number, what: string, seconds: number): Lock {
  const end = elapsed() + seconds * 1000;
  for (let pause = 1; elapsed() < end; pause = Math.min(pause * 2, 20)) {
    // Not all at the same moment again.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pause * (0.5 + Math.random()));
    const lock = lockFile(target, 'exclusive', { wait: false });
    if (lock !== undefined) return lock;
  }
  const holder = lockHolder(target);
  throw new TsboxError(
    'LOCK_TIMEOUT',
    `${what} is locked: ${holder ?? 'somebody'} has had it for ${seconds} s`,
    {
      advice: 'if that process hangs, end it: the lock ends with it',
    },
  );
}

/** Who holds an flock on a file, as `process PID (COMMAND)`: proc_locks(5) knows locks by inode. Undefined where nobody does, or it cannot be told. */
export function lockHolder(target: string | number): string | undefined {
  try {
    const { ino } = typeof target === 'number' ? fstatSync(target) : statSync(target);
    for (const line of readFileSync('/proc/locks', 'latin1').split('\n')) {
      // `1: FLOCK  ADVISORY  WRITE 1234 fe:01:5678 0 EOF`; `->` is one that waits. The device is not compared: of some file systems stat(2) tells another.
      const [, pid, inode] = /^\d+: FLOCK +ADVISORY +WRITE +(\d+) \w+:\w+:(\d+) /.exec(line) ?? [];
      if (pid !== undefined && Number(inode) === ino) return `process ${pid} (${commandOf(pid)})`;
    }
  } catch {
    // No /proc, or not the whole of it: then it stays unnamed.
  }
  return undefined;
}

function commandOf(pid: string): string {
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    return command.slice(0, 80) || 'no command';
  } catch {
    return 'ended meanwhile';
  }
}
