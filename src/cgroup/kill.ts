import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { elapsed } from '../kernel/clock.ts';
import { TsboxError } from '../kernel/error.ts';

/**
 * SIGKILLs every process in the group and below it, in one step that no fork can outrun (cgroup.kill, Linux 5.14). They are dying when this
 * returns, not yet gone. A group that is not there is no error: there is nothing left to kill.
 *
 * @throws {TsboxError} KERNEL_TOO_OLD, CGROUP_FAILED
 */
export function killCgroup(path: string): void {
  const code = write(path, 'cgroup.kill', '1');
  if (code === undefined || !existsSync(path)) return;
  if (code === 'ENOENT') {
    throw new TsboxError(
      'KERNEL_TOO_OLD',
      `cannot kill the processes of the cgroup ${path}: this kernel has no cgroup.kill`,
      {
        advice: 'tsbox needs Linux 5.14',
      },
    );
  }
  throw new TsboxError('CGROUP_FAILED', `cannot kill the processes of the cgroup ${path}: ${code}`);
}

/**
 * Stops every process in the group and below it, and resolves when the kernel says that all have stopped. They keep their memory and can still be
 * killed.
 *
 * @param milliseconds how long to wait for that; a process in an uninterruptible sleep can take long. Default 10 s.
 * @throws {TsboxError} CGROUP_FAILED; the group is then thawed again
 */
export async function freezeCgroup(path: string, milliseconds = 10_000): Promise<void> {
  setFrozen(path, '1');
  if (await waitForEvent(path, 'frozen 1', milliseconds)) return;
  write(path, 'cgroup.freeze', '0');
  throw new TsboxError(
    'CGROUP_FAILED',
    `the processes of the cgroup ${path} did not stop within ${milliseconds} ms`,
  );
}

/** Lets them go on. */
export function thawCgroup(path: string): void {
  setFrozen(path, '0');
}

/** Waits until `cgroup.events` has the line. False after the time; true for a group that is not there any more. */
export async function waitForEvent(path: string, line: string, milliseconds: number): Promise<boolean> {
  const end = elapsed() + milliseconds;
  // Usually it is so at once, or in the few milliseconds that processes take to die, so the first looks are close together.
  for (let pause = 1; ; pause = Math.min(pause * 2, 50)) {
    try {
      if (readFileSync(join(path, 'cgroup.events'), 'latin1').split('\n').includes(line)) return true;
    } catch {
      return true;
    }
    if (elapsed() >= end) return false;
    await sleep(pause);
  }
}

function setFrozen(path: string, value: '0' | '1'): void {
  const code = write(path, 'cgroup.freeze', value);
  if (code === undefined) return;
  const what = value === '1' ? 'freeze' : 'thaw';
  throw new TsboxError(
    'CGROUP_FAILED',
    `cannot ${what} the cgroup ${path}: ${code === 'ENOENT' ? 'it is not there' : code}`,
  );
}

/** The name of the errno, where the kernel refuses. */
function write(path: string, file: string, value: string): string | undefined {
  try {
    // Not the default flag `w`: its O_CREAT would answer EACCES for a group that is gone.
    writeFileSync(join(path, file), value, { flag: 'r+' });
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'EIO';
  }
}

/** Not that of node:timers/promises, which every start of a container would load (3 ms) and few need. */
export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
