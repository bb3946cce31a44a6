import { AT, Errno, PR } from '../kernel/index.ts';
import { flags, named, type Step } from '../launch/index.ts';
import type { HostView } from './before-pivot.ts';
import { passes } from './filter-check.ts';
import { hookSteps } from './hook-steps.ts';
import { dropPrivileges } from './identity.ts';
import type { Held, PlanInput } from './plan-input.ts';
import { CLOSE_RANGE, execProgram, type Kept, programPaths } from './program.ts';
import type { Process } from './spec.ts';
import { Stage } from './stage.ts';

/** What of it stays open while it waits. */
export function keptWhileWaiting(held: Held, ready: number): Kept {
  const numbers = [ready, held.gate, held.result, held.state, ...(held.listener ?? [])];
  return { first: Math.min(...numbers), last: Math.max(...numbers), above: held.preserve };
}

/** Whether anything is run before the pivot. */
export function hasEarlyHooks({ acknowledge, createContainer }: Held): boolean {
  return acknowledge !== undefined || createContainer.length > 0;
}

/**
 * In its namespaces, where the host can still be seen: the time for those hooks that are to change what it will see.
 *
 * @param host where that is, if not at the root
 */
export function runEarlyHooks(steps: Step[], held: Held, ready: number, host?: HostView): void {
  const stage = new Stage(steps, 'Hooks');
  if (held.acknowledge !== undefined) {
    const byte = { bytes: Buffer.alloc(8), text: 'byte' };
    stage.call('write', [ready, 'h', 1], 'its namespaces are there: the hooks of the host may run');
    stage.call('read', [held.acknowledge, byte, 1], 'until they have');
    stage.call('write', [ready, '.', 1], 'unless who runs them is dead: then this fails');
  }
  for (const hook of held.createContainer) hookSteps(stage, hook, held.state, host);
}

/** Everything from here on needs no more of the system calls than the filter lets pass, else the filter comes as late as the exec. */
export function waitForStart(steps: Step[], input: PlanInput, held: Held): void {
  const { process } = input.spec;
  const last: Step[] = [];
  const stage = new Stage(last, 'Wait');
  findProgram(stage, process);
  stage.call('prctl', [flags(PR, 'PR_SET_NAME'), 'tsbox-init'], 'what it is called while it waits');
  const { first, last: highest } = keptWhileWaiting(held, input.ready);
  const mark = flags(CLOSE_RANGE, 'CLOSE_RANGE_CLOEXEC');
  stage.call('close_range', [first, highest, mark], 'the program gets none of these');
  stage.call('write', [input.ready, 'w', 1], 'all is prepared');
  const closeOnExec = named('O_CLOEXEC', 0o2000000);
  stage.call(
    'dup3',
    [held.result, input.ready, closeOnExec],
    '`create` may end; from now on `start` is told',
  );
  const byte = { bytes: Buffer.alloc(8), text: 'byte' };
  stage.call('read', [held.gate, byte, 1], 'until `start`');
  for (const hook of held.startContainer) hookSteps(stage, hook, held.state);
  const { seccomp } = input;
  const exec: Step[] = [];
  execProgram(new Stage(exec, 'Become the program'), process, undefined);
  const all = [...last, ...exec];
  if (seccomp === undefined || all.every((step) => passes(seccomp, step))) {
    dropPrivileges(new Stage(steps, 'Become the program'), process, seccomp, true);
    steps.push(...all);
    return;
  }
  steps.push(...last);
  dropPrivileges(new Stage(steps, 'Become the program'), process, seccomp, true);
  steps.push(...exec);
}

/** A program that is not there is a failure of `create` (which engines tell from one of `start`), though only exec can be sure. */
function findProgram(stage: Stage, process: Process): void {
  const candidates = programPaths(process);
  for (const [index, path] of candidates.entries()) {
    const left = candidates.length - 1 - index;
    const tolerate = left === 0 ? [] : [Errno.ENOENT, Errno.ENOTDIR, Errno.EACCES];
    const args = [named('AT_FDCWD', AT.AT_FDCWD), path, named('X_OK', 1)];
    stage.call('faccessat', args, 'the program is there', { tolerate, skipOnSuccess: left });
  }
}
