import { closeSync } from 'node:fs';
import { killCgroup, removeCgroup, removeCgroupNow } from '../cgroup/index.ts';
import {
  Errno,
  type KernelError,
  openPidfd,
  pipe,
  reap,
  signalPidfd,
  TsboxError,
  waitHangUp,
} from '../kernel/index.ts';
import { type Arena, failureError, runPlan } from '../launch/index.ts';
import { type ContainerPlan, isExec, planContainer } from '../runtime/index.ts';
import type { Prepared } from './prepare.ts';
import type { Streams } from './streams.ts';

/** A container whose program runs. */
export interface Started {
  pid: number;
  pidfd: number;
  arena: Arena;
}

/**
 * Carries out the plan and waits until the program is there. Where it fails, nothing of it is left.
 *
 * @throws {TsboxError} with exit code 127 or 126 where the program is not there or cannot be run
 */
export async function start(prepared: Prepared, streams: Streams, timed: boolean): Promise<Started> {
  const ready = pipe();
  const input = { ...prepared.input, stdio: streams.child, ready: ready.write };
  let plan: ContainerPlan;
  let arena: Arena;
  try {
    plan = planContainer(input);
    arena = runPlan(plan, { timed });
  } catch (error) {
    closeSync(ready.read);
    closeSync(ready.write);
    throw error;
  }
  // The plan closes our writing end after the clone; a plan that failed before did not come to it.
  if (arena.slot(plan.pid) < 0 && plan.helper === undefined) closeQuietly(ready.write);
  await waitHangUp(ready.read);
  closeSync(ready.read);
  if (plan.helper !== undefined) reapHelper(arena.slot(plan.helper));
  const pid = arena.slot(plan.pid);
  const pidfd = pid <= 0 ? -1 : plan.pidfd === undefined ? openPidfd(pid) : arena.slot(plan.pidfd);
  const failure = arena.failure();
  if (failure === undefined) return { pid, pidfd, arena };
  if (pidfd >= 0) {
    signalPidfd(pidfd, SIGKILL);
    reap(pidfd, { wait: true });
    closeSync(pidfd);
  }
  await discardCgroup(prepared.input.cgroup?.path);
  throw isExec(failure.step) ? programError(prepared, arena, failure.errno) : failureError(failure);
}

/** The helper clones the container and exits at once, so this waits for moments. */
function reapHelper(pidfd: number): void {
  if (pidfd <= 0) return;
  reap(pidfd, { wait: true });
  closeSync(pidfd);
}

export async function discardCgroup(path: string | undefined): Promise<void> {
  if (path === undefined || removeCgroupNow(path)) return;
  killCgroup(path);
  await removeCgroup(path);
}

/** As a shell says it: 127 for a program that is not there, 126 for one that is and cannot be run. */
function programError(prepared: Prepared, arena: Arena, lastErrno: number): TsboxError | KernelError {
  const name = prepared.built.spec.process.args[0] ?? '';
  const denied = arena.outcomes().some(({ step, errno }) => isExec(step) && errno === Errno.EACCES);
  const errno = denied ? Errno.EACCES : lastErrno;
  const quoted = `cannot run \`${name}\``;
  if (errno === Errno.ENOENT || errno === Errno.ENOTDIR) {
    const reason = name.includes('/') ? 'no such file in the image' : "not found in the image's PATH";
    return new TsboxError('PROGRAM_NOT_FOUND', `${quoted}: ${reason}`, {
      exitCode: 127,
      advice: name.includes('/')
        ? 'if it is there, the interpreter in its first line (#!), or its loader, is not'
        : undefined,
    });
  }
  if (errno === Errno.EACCES) {
    return new TsboxError('PROGRAM_NOT_EXECUTABLE', `${quoted}: permission denied`, {
      exitCode: 126,
      advice:
        'it must be a file with the execute bit, in directories that the user may enter, on a mount without noexec',
    });
  }
  if (errno === Errno.ENOEXEC) {
    return new TsboxError(
      'PROGRAM_NOT_EXECUTABLE',
      `${quoted}: not a program for this machine (exec format error)`,
      {
        exitCode: 126,
        advice: 'a script needs a first line such as #!/bin/sh; a binary must be for this processor',
      },
    );
  }
  return new TsboxError(
    'PROGRAM_NOT_EXECUTABLE',
    `${quoted}: ${failureError({ step: lastExec(arena), errno }).message}`,
    { exitCode: 126 },
  );
}

function lastExec(arena: Arena) {
  const execs = arena.outcomes().filter(({ step }) => isExec(step));
  return (execs[execs.length - 1] as (typeof execs)[number]).step;
}

function closeQuietly(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // The plan came as far as its last step before it failed.
  }
}

const SIGKILL = 9;
