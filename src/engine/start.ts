import { killCgroup, removeCgroup, removeCgroupNow } from '../cgroup/index.ts';
import {
  closeDescriptor,
  openPidfd,
  pipe,
  reap,
  signalPidfd,
  TsboxError,
  waitHangUp,
  waitHere,
} from '../kernel/index.ts';
import { type Arena, carryOut, failureError, leftOpen } from '../launch/index.ts';
import { type Bystander, type ContainerPlan, isExec } from '../runtime/index.ts';
import { type NetworkStart, networkFailure } from './network/network-start.ts';
import { type LaidOut, layOutContainer, layOutOnce } from './plan-template.ts';
import type { Prepared } from './prepare.ts';
import { programError } from './program-error.ts';
import type { Streams } from './streams.ts';

/** A container whose program runs. */
export interface Started {
  pid: number;
  pidfd: number;
  /** With the times of its steps, where they were asked for. */
  arena: Arena | undefined;
}

/**
 * Carries out the plan and waits until the program is there. Where it fails, nothing of it is left.
 *
 * @param cloned called with the PID as soon as there is one, which usually is while the container still makes itself: time that costs nothing.
 *   It must not throw
 * @throws {TsboxError} with exit code 127 or 126 where the program is not there or cannot be run
 */
export async function start(
  prepared: Prepared,
  streams: Streams,
  { timed, mayBlock }: { timed: boolean; mayBlock: boolean },
  cloned: (pid: number) => void = () => {},
  network?: NetworkStart,
): Promise<Started> {
  const ready = pipe();
  const input = {
    ...prepared.input,
    ...network?.input,
    stdio: streams.child,
    ready: ready.write,
    reader: ready.read,
  };
  let laidOut: LaidOut;
  try {
    laidOut =
      timed || mayBlock
        ? layOutOnce(input, { timed })
        : layOutContainer(input, prepared.kind, prepared.facts);
  } catch (error) {
    closeDescriptor(ready.read);
    closeDescriptor(ready.write);
    network?.abandon();
    throw error;
  }
  const { plan, arena } = laidOut;
  const program = await launch(laidOut, ready, { mayBlock }, cloned, network);
  if (program !== undefined) {
    laidOut.done();
    return { ...program, arena: timed ? arena : undefined };
  }
  cleanUp(plan, arena);
  await discardCgroup(prepared.input.cgroup?.path);
  const failure = arena.failure();
  const unconnected = networkFailure(network, failure?.step);
  if (unconnected !== undefined) throw unconnected;
  // Nobody saw a failure, and yet there is no container: the helper was killed before it could make one.
  if (failure === undefined) throw new TsboxError('START_FAILED', 'the start of the container was killed');
  const { step, errno } = failure;
  throw isExec(step)
    ? programError(prepared, arena, errno)
    : failureError({ step: laidOut.step(step), errno });
}

/**
 * Carries out a plan in memory and waits until the program is there. Both ends of `ready` are closed then.
 *
 * @returns undefined where it failed: no process of it is left, but what the plan's own steps opened may be
 */
export async function launch(
  { plan, arena }: { plan: Pick<ContainerPlan, 'pid' | 'pidfd' | 'helper'>; arena: Arena },
  ready: { read: number; write: number },
  { mayBlock }: { mayBlock: boolean },
  cloned: (pid: number) => void,
  network?: NetworkStart,
): Promise<Pick<Started, 'pid' | 'pidfd'> | undefined> {
  const abandon = () => {
    closeDescriptor(ready.write);
    network?.abandon();
  };
  try {
    carryOut(arena);
  } catch (error) {
    closeDescriptor(ready.read);
    abandon();
    throw error;
  }
  // The plan closes our writing end right after the clone; one that failed before did not come to it.
  const begun = arena.slot(plan.helper?.pid ?? plan.pid) > 0;
  if (!begun) abandon();
  const early = arena.slot(plan.pid);
  // First of all: the container waits for it.
  if (begun && network) await network.connect(early > 0 ? early : () => arena.slot(plan.pid), mayBlock);
  if (early > 0) cloned(early);
  if (!mayBlock || !waitHere(ready.read, 'hang-up', 100)) await waitHangUp(ready.read);
  closeDescriptor(ready.read);
  if (plan.helper !== undefined) reapBystander(arena, plan.helper);
  const pid = arena.slot(plan.pid);
  const pidfd = pid <= 0 ? -1 : plan.pidfd === undefined ? openPidfd(pid) : arena.slot(plan.pidfd);
  if (early <= 0 && pid > 0) cloned(pid);
  if (arena.failedAt < 0 && pidfd >= 0) return { pid, pidfd };
  if (pidfd >= 0) endProcess(pidfd);
  return undefined;
}

/** Kills a child and waits until it is gone. */
export function endProcess(pidfd: number): void {
  signalPidfd(pidfd, SIGKILL);
  reap(pidfd, { wait: true });
  closeDescriptor(pidfd);
}

/** The helper clones the container and exits at once, so this waits for moments. */
function reapBystander(arena: Arena, { pid, pidfd }: Bystander): void {
  if (arena.slot(pid) <= 0) return;
  reap(arena.slot(pidfd), { wait: true });
  closeDescriptor(arena.slot(pidfd));
}

/** What a plan that ended early has left in this process: it would have closed these and ended the holder itself. */
function cleanUp(plan: ContainerPlan, arena: Arena): void {
  const { holder } = plan;
  const reaped = arena.outcomes().some(({ step, errno }) => step.call === 'waitid' && errno === 0);
  if (holder !== undefined && arena.slot(holder.pid) > 0 && !reaped) endProcess(arena.slot(holder.pidfd));
  for (const slot of leftOpen(plan, arena)) closeDescriptor(arena.slot(slot));
}

export async function discardCgroup(path: string | undefined): Promise<void> {
  if (path === undefined || removeCgroupNow(path)) return;
  killCgroup(path);
  await removeCgroup(path);
}

const SIGKILL = 9;
