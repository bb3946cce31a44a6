import { readSync } from 'node:fs';
import {
  closeDescriptor,
  Errno,
  errnoMessage,
  openPidfd,
  pipe,
  reap,
  signalPidfd,
  TsboxError,
  waitHangUp,
  waitHere,
} from '../../kernel/index.ts';
// Not through the folders' indexes, which `tsbox run` loads.
import { enterProgram, planFile } from '../../launch/enter-program.ts';
import { type Arena, carryOut, failureError, leftOpen, type Step } from '../../launch/index.ts';
import type { EntryPlan } from '../../runtime/entry-plan.ts';
import { isExec, type Process, type Stdio, type TerminalStdio } from '../../runtime/index.ts';
import { execError } from '../program-error.ts';
import { endProcess } from '../start.ts';
import { withStateLock } from '../state-lock.ts';
import type { Descriptors, ExecKind } from './kind.ts';
import { isFrozen, notRunning, type Target } from './target.ts';

/** A program that runs. */
export interface Entered {
  pid: number;
  /** -1 for one that is not our child: a detached one. */
  pidfd: number;
}

/**
 * Carries out the plans of an `exec` and waits until the program is there. Where it fails, nothing of it is left.
 *
 * @param release called as soon as the descriptors of `input.stdio` are not needed here any more
 * @throws {TsboxError} with exit code 127 or 126 where the program is not there or cannot be run; NOT_RUNNING, PAUSED
 */
export async function launch(
  target: Target,
  kind: ExecKind,
  stdio: Stdio | TerminalStdio,
  release: () => void,
): Promise<Entered> {
  const entry = kind.entry(stdio);
  const ready = pipe();
  let plan: number | undefined;
  let helper: number | undefined;
  try {
    const arena = entry.renew();
    plan = planFile(arena.bytes);
    helper = startHelper(target, kind, {
      stdio,
      plan,
      ready: ready.write,
      outcomeLength: arena.outcomeLength,
      pidSlot: arena.slotIndex(entry.plan.pid),
    });
  } catch (error) {
    closeDescriptor(ready.read);
    if (plan !== undefined) closeDescriptor(plan);
    throw error;
  } finally {
    release();
    closeDescriptor(ready.write);
  }
  // This thread has waited as long for the helper's exec: the rest is not worth the way through a thread of libuv's pool and back.
  if (!waitHere(ready.read, 'hang-up', 2)) await waitHangUp(ready.read);
  reap(helper, { wait: true });
  closeDescriptor(helper);
  // From here to the failure nothing may be awaited: another exec of the kind would take the memory.
  const arena = entry.renew();
  const pid = takeOutcome(entry.plan, arena, plan, ready.read);
  const failure = arena.failure();
  const { input } = kind;
  if (failure === undefined && pid > 0) return { pid, pidfd: input.detached ? -1 : openPidfd(pid) };
  // What is detached, and has failed, is waited for by its own parent.
  if (pid > 0 && !input.detached) endProcess(openPidfd(pid));
  throw failure === undefined ? await killed(target) : stepError(failure, arena, target, input.process);
}

/**
 * Clones the helper. With the state lock held, which `pause` takes as well: this thread waits for the helper's exec, and would wait for the
 * container to be unpaused if the helper froze before.
 *
 * @returns its pidfd
 */
function startHelper(
  target: Target,
  kind: ExecKind,
  descriptors: Omit<Descriptors, 'container' | 'enter'>,
): number {
  const helper = kind.helper({ ...descriptors, container: target.pidfd, enter: enterProgram() });
  const helping = helper.plan;
  const outcome = withStateLock(target.record.id, () => {
    if (isFrozen(target.record)) throw paused(target);
    const arena = helper.renew();
    carryOut(arena);
    return arena;
  });
  if (outcome === undefined) throw notRunning(target.record);
  const failure = outcome.failure();
  const pidfd = outcome.slot(helping.helper.pid) > 0 ? outcome.slot(helping.helper.pidfd) : undefined;
  if (failure === undefined && pidfd !== undefined) return pidfd;
  for (const slot of leftOpen(helping, outcome)) closeDescriptor(outcome.slot(slot));
  if (pidfd !== undefined) endProcess(pidfd);
  // Its cgroup went when it ended.
  const gone = failure?.errno === Errno.ENOENT || failure?.errno === Errno.ENODEV;
  throw failure === undefined || gone ? notRunning(target.record) : failureError(failure);
}

/**
 * What enter.c has left in the file, and then what its clone has said. That one may have been in the hands of the container, so it is taken
 * for no more than what became of the steps.
 *
 * @returns the program's PID, which only the file knows
 */
function takeOutcome(entry: EntryPlan, arena: Arena, plan: number, ready: number): number {
  const length = arena.outcomeLength;
  try {
    readSync(plan, arena.bytes, 0, length, 0);
    const pid = arena.slot(entry.pid);
    const said = Buffer.alloc(length + 1);
    let end = 0;
    for (let count = -1; count !== 0 && end < said.length; end += count)
      count = readSync(ready, said, end, said.length - end, null);
    if (end >= length) arena.bytes.set(said.subarray(end - length, end));
    return pid;
  } finally {
    closeDescriptor(plan);
    closeDescriptor(ready);
  }
}

function paused({ name }: Target): TsboxError {
  return new TsboxError('PAUSED', `container ${name} is paused, unpause the container before exec`);
}

/** Nobody saw a failure, and yet there is no program. */
async function killed(target: Target): Promise<TsboxError> {
  if (!signalPidfd(target.pidfd, 0)) return notRunning(target.record);
  return new TsboxError('START_FAILED', `the start of the program in container ${target.name} was killed`, {
    advice: 'its memory may be used up: `tsbox stats` shows it',
  });
}

function stepError(
  failure: { step: Step | undefined; errno: number },
  arena: Arena,
  target: Target,
  process: Process,
): TsboxError {
  const { step, errno } = failure;
  if (step === undefined)
    return new TsboxError('START_FAILED', `container ${target.name} interfered with the start`);
  if (isExec(step)) return execError(process.args[0] ?? '', arena, errno);
  // The container has ended since it was looked up.
  if (step.call === 'setns' && errno === Errno.ESRCH) return notRunning(target.record);
  if (step.call !== 'openat2') return failureError({ step, errno });
  const why = errno === Errno.ELOOP ? 'it leads through a link of /proc or in a circle' : errnoMessage(errno);
  return new TsboxError('BAD_WORKDIR', `the working directory \`${process.cwd}\` cannot be entered: ${why}`, {
    exitCode: errno === Errno.ENOENT ? 127 : 126,
  });
}
