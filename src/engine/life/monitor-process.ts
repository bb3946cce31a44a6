import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { findCgroup } from '../../cgroup/index.ts';
import { AT, closeDescriptor, nativeFile, O, reap } from '../../kernel/index.ts';
import {
  type Arena,
  cloneStep,
  failureError,
  flags,
  named,
  runPlan,
  Slot,
  type Step,
} from '../../launch/index.ts';
import { identify, type ProcessIdentity } from '../process-identity.ts';

/**
 * Starts a monitor (native/monitor.c) that outlives us: the child of a child that ends at once, so that it is nobody's zombie here, outside of any
 * container's limits, with the descriptors that it needs at the numbers it knows, no others, and nothing of our environment but where the store is.
 *
 * @param descriptors number there → descriptor here
 * @param args after the program's name
 * @throws {KernelError}
 */
export function startMonitor(
  descriptors: ReadonlyMap<number, number>,
  args: readonly string[],
): ProcessIdentity {
  const group = monitorsGroup();
  let started = launch(descriptors, args, group);
  // A group of a kind that takes no processes (cgroup v2's threaded ones), or one without permission: then where we are.
  if (group !== undefined && started.failed) started = launch(descriptors, args, undefined);
  const failure = started.arena.failure();
  if (failure !== undefined) throw failureError(failure);
  return identify(started.pid) ?? { pid: started.pid, start: 0 };
}

function launch(
  descriptors: ReadonlyMap<number, number>,
  args: readonly string[],
  group: string | undefined,
) {
  const [child, childPidfd, monitor] = [new Slot('child'), new Slot('child_pidfd'), new Slot('monitor')];
  const cgroup = group === undefined ? undefined : new Slot('monitors');
  const inner = cloneStep({
    stage,
    why: 'the monitor, whose parent is about to end',
    flags: [
      'CLONE_VM',
      'CLONE_VFORK',
      'CLONE_CLEAR_SIGHAND',
      ...(cgroup ? (['CLONE_INTO_CGROUP'] as const) : []),
    ],
    exitSignal: 17,
    pid: monitor,
    cgroup,
    child: becomeMonitor(descriptors, args),
  });
  const outer = cloneStep({
    stage,
    why: 'a parent for it that is not us',
    flags: ['CLONE_VM', 'CLONE_VFORK', 'CLONE_PIDFD', 'CLONE_CLEAR_SIGHAND'],
    exitSignal: 0,
    pid: child,
    pidfd: childPidfd,
    child: [...openGroup(cgroup, group), inner, { stage, call: 'exit_group', args: [0], why: 'done' }],
  });
  const arena: Arena = runPlan({ steps: [outer] });
  if (arena.slot(child) > 0) {
    reap(arena.slot(childPidfd), { wait: true });
    closeDescriptor(arena.slot(childPidfd));
  }
  const failed = arena.failure()?.step;
  return { arena, pid: arena.slot(monitor), failed: failed !== undefined && failed.call !== 'execve' };
}

const stage = 'Monitor';

function openGroup(slot: Slot | undefined, path: string | undefined): Step[] {
  if (slot === undefined || path === undefined) return [];
  const how = flags(O, 'O_RDONLY', 'O_DIRECTORY', 'O_CLOEXEC');
  const args = [named('AT_FDCWD', AT.AT_FDCWD), path, how];
  return [{ stage, call: 'openat', args, save: slot, why: 'the group of the monitors' }];
}

function becomeMonitor(descriptors: ReadonlyMap<number, number>, args: readonly string[]): Step[] {
  const program = nativeFile('monitor');
  const last = Math.max(...descriptors.keys());
  // Above the numbers that a monitor knows.
  const above = Math.max(64, last + 1);
  const steps: Step[] = [];
  // First all of them out of the way: one may have the number that another is to get.
  const moved = [...descriptors].map(([number, fd]) => {
    const slot = new Slot(`for_${number}`);
    steps.push({ stage, call: 'fcntl', args: [fd, named('F_DUPFD', 0), above], save: slot, why: 'keep it' });
    return { number, slot };
  });
  steps.push({ stage, call: 'close_range', args: [3, above - 1, 0], why: 'nothing of ours' });
  for (const { number, slot } of moved)
    steps.push({ stage, call: 'dup3', args: [slot, number, 0], why: 'where the monitor looks for it' });
  steps.push({
    stage,
    call: 'close_range',
    args: [last + 1, named('~0', 0xffffffff), 0],
    why: 'and no more',
  });
  const strings = ['tsbox-monitor', ...args];
  const args3 = [program, { strings }, { strings: environment() }];
  steps.push({ stage, call: 'execve', args: args3, why: 'become the monitor' });
  return steps;
}

/** No secret of ours: what it becomes at the end needs to know the store, and no more. */
function environment(): string[] {
  return process.env.TSBOX_ROOT ? [`TSBOX_ROOT=${process.env.TSBOX_ROOT}`] : [];
}

/** Undefined where there is no cgroup v2 that we may make groups in. */
function monitorsGroup(): string | undefined {
  try {
    const path = join(findCgroup().mountPoint, 'tsbox', 'monitors');
    mkdirSync(path, { recursive: true, mode: 0o755 });
    return path;
  } catch {
    return undefined;
  }
}
