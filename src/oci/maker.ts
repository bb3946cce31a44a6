import { AT, closeDescriptor, reap } from '../kernel/index.ts';
import { enterProgram } from '../launch/enter-program.ts';
import { cloneStep, failureError, named, runPlan, Slot, type Step } from '../launch/index.ts';
import { aside, enterArguments } from '../runtime/helper-plan.ts';
import { Stage } from '../runtime/stage.ts';

/**
 * Starts native/enter.c with a plan, and returns once it has cloned the container and ended: its outcome is in the plan's file then.
 *
 * @param descriptors number there → descriptor here, those of the plan and of READY among them
 * @param kept those that have their number already, and only must not close
 */
export function runMaker(
  descriptors: ReadonlyMap<number, number>,
  kept: readonly number[],
  outcomeLength: number,
  ready: number,
): void {
  const program = enterProgram();
  const last = Math.max(...descriptors.keys(), ...kept);
  const child: Step[] = [];
  const stage = new Stage(child, 'Make');
  // First out of the way what has a number that another is to get.
  const enter = aside(stage, program, 'enter', last);
  const moved = [...descriptors].map(([to, fd]) => ({ to, fd: aside(stage, fd, `for_${to}`, last) }));
  stage.call(
    'close_range',
    [3, named('~0', 0xffffffff), named('CLOSE_RANGE_CLOEXEC', 4)],
    'nothing else of ours',
  );
  for (const { to, fd } of moved) stage.call('dup3', [fd, to, 0], 'where the plan looks for it');
  // Node marks the first three close-on-exec.
  for (const fd of [0, 1, 2, ...kept])
    stage.call('fcntl', [fd, named('F_SETFD', 2), 0], 'the program gets it');
  const strings = enterArguments(outcomeLength, false, ready);
  stage.call(
    'execveat',
    [enter, '', { strings }, { strings: [] }, named('AT_EMPTY_PATH', AT.AT_EMPTY_PATH)],
    'leave the memory of Node',
  );
  const pid = new Slot('maker');
  const pidfd = new Slot('maker_pidfd');
  const clone = cloneStep({
    stage: 'Make',
    why: 'who makes the container, outside of Node',
    flags: ['CLONE_VM', 'CLONE_VFORK', 'CLONE_PIDFD', 'CLONE_CLEAR_SIGHAND'],
    exitSignal: 0,
    pid,
    pidfd,
    child,
  });
  const arena = runPlan({ steps: [clone] });
  if (arena.slot(pid) > 0) {
    reap(arena.slot(pidfd), { wait: true });
    closeDescriptor(arena.slot(pidfd));
  }
  const failed = arena.failure();
  if (failed !== undefined) throw failureError(failed);
}
