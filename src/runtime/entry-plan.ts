import { CLONE, PR } from '../kernel/index.ts';
import { flags, named, type Plan, Slot, type Step } from '../launch/index.ts';
import { type ExecInput, numbersOf } from './exec-input.ts';
import { passes } from './filter-check.ts';
import { dropPrivileges, type SeccompFilter } from './identity.ts';
import { entryFlags, has } from './namespaces.ts';
import { controlTerminal, enterDirectory, execProgram, openPty, placeStdio } from './program.ts';
import { schedule, setAffinity } from './schedule.ts';
import * as settings from './settings.ts';
import type { Process } from './spec.ts';
import { Stage } from './stage.ts';

/** What native/enter.c carries out; `pid` is then the program's. */
export interface EntryPlan extends Plan {
  pid: Slot;
}

/**
 * A program in a running container, as two plans.
 *
 * This one is carried out by native/enter.c, a tiny program that says at its top why it exists: nothing of Node may be where a process of the
 * container can reach it. It does everything that needs power while it is outside the PID namespace, where nobody of the container can see it; the clone
 * that they see has the program's own ids, capabilities and filter already, and only has to execute.
 *
 * The one exception is a filter that does not let a process clone: then the clone itself gives up its powers, as runc's does.
 */
export function planEntry(input: ExecInput): EntryPlan {
  const { spec, process, stdio } = input;
  const { container, ready, socket, third, master, status, ...forListener } = numbersOf(input);
  const seccomp = withListener(input.seccomp, forListener);
  const steps: Step[] = [];
  const entering = new Stage(steps, 'Enter');
  // Of the host's /proc, and before the ids change: afterwards these files are not ours to write.
  if (process.oomScoreAdj !== undefined) settings.setOomScore(entering, process.oomScoreAdj);
  if (process.apparmorProfile) settings.setAppArmor(entering, process.apparmorProfile);
  settings.resetSignals(entering);
  entering.call(
    'fcntl',
    [ready, named('F_SETFD', 2), named('FD_CLOEXEC', 1)],
    'it tells tsbox of the exec by closing',
  );
  // The helper is in the group from its first instruction on: what the specification has before that can only be here.
  if (process.execCPUAffinity?.initial) setAffinity(entering, process.execCPUAffinity.initial, true);
  if (input.keep?.status !== undefined)
    entering.call(
      'fcntl',
      [status, named('F_SETFD', 2), named('FD_CLOEXEC', 1)],
      'only the keeper writes to it',
    );
  if (input.preserve) entering.call('dup3', [third, 3, 0], 'the plan is not needed there any more');
  const namespaces = entryFlags(spec.linux);
  if (namespaces.length > 0)
    entering.call('setns', [container, flags(CLONE, ...namespaces)], "the container's namespaces");
  if (has(spec.linux, 'user')) {
    entering.call('setgroups', [0, null], 'no group of ours');
    entering.call('setresgid', [0, 0, 0], "the namespace's root");
    entering.call('setresuid', [0, 0, 0], "the namespace's root");
  }
  if (!input.keepKeyring) settings.newKeyring(entering, input.id);
  const terminal =
    'terminalSocket' in stdio
      ? openPty(entering, { ...stdio, terminalSocket: socket }, process.user.uid, input.keep && master)
      : undefined;

  const becoming = new Stage(steps, 'Become the program');
  const lastOfKeeper = input.keep === undefined ? ready : input.keep.status === undefined ? master : status;
  const last = seccomp?.listener ? forListener.message : lastOfKeeper;
  const kept = { first: ready, last, above: input.preserve };
  placeStdio(becoming, terminal ?? { stdin: 0, stdout: 1, stderr: 2 }, kept);
  if (seccomp?.listener) becoming.call('close_range', [socket, third, 0], 'nor these in between');
  becoming.call('close', [enterDirectory(becoming, process.cwd)], 'done');
  settings.setRlimits(becoming, process.rlimits);
  if (process.execCPUAffinity?.final) setAffinity(becoming, process.execCPUAffinity.final);
  schedule(becoming, process);

  const clone = input.detached === true ? CLONE_CHILD : CLONE_SIBLING;
  const inside = programSteps(
    process,
    ready,
    terminal !== undefined,
    input.detached !== undefined && input.detached !== false,
  );
  const afterwards = [clone, ...inside, ...(input.keep ? KEEPERS : [])];
  // What the listener is told is the PID of the clone, which must be there first.
  const early =
    seccomp === undefined || (!seccomp.listener && afterwards.every((step) => passes(seccomp, step)));
  const outlives = input.detached !== undefined && input.detached !== false;
  if (early) dropPrivileges(becoming, process, seccomp, outlives);
  else {
    const late: Step[] = [];
    dropPrivileges(new Stage(late, 'Become the program (inside)'), process, seccomp, outlives);
    inside.splice(-execs(inside), 0, ...late);
  }
  const pid = new Slot('pid');
  steps.push({ ...clone, save: pid, child: inside });
  return { steps, pid };
}

/** The filter for native/enter.c, where descriptors have other numbers. */
function withListener(
  seccomp: SeccompFilter | undefined,
  { listener, message }: { listener: number; message: number },
): SeccompFilter | undefined {
  if (seccomp?.listener === undefined) return seccomp;
  return { ...seccomp, listener: { ...seccomp.listener, socket: listener, message } };
}

/** What is left to do inside of the PID namespace. */
function programSteps(process: Process, ready: number, terminal: boolean, detached: boolean): Step[] {
  const steps: Step[] = [];
  const stage = new Stage(steps, 'Become the program (inside)');
  if (!detached)
    stage.call('prctl', [flags(PR, 'PR_SET_PDEATHSIG'), named('SIGKILL', 9)], 'if tsbox dies it dies');
  // The request tells nothing of a death before it, but then the other end of this pipe is gone (prctl(2), pipe(7)).
  stage.call('write', [ready, '.', 1], 'unless it is dead already: then this fails');
  stage.call('setsid', [], 'a session of its own');
  if (terminal) controlTerminal(stage, 0);
  execProgram(stage, process, undefined);
  return steps;
}

/** A clone with memory of its own: of clone(2), which filters can look into. */
const CLONE_CHILD: Step = {
  stage: 'Become the program',
  call: 'clone',
  args: [named('SIGCHLD', 17)],
  why: "the first process of ours in the container's PID namespace",
};

/** As a child of tsbox, not of the helper. */
const CLONE_SIBLING: Step = {
  ...CLONE_CHILD,
  args: [named('CLONE_PARENT|SIGCHLD', CLONE.CLONE_PARENT | 17)],
};

/** What native/enter-keep.h calls, as long as the program lives and after it. */
const KEEPERS: Step[] = [
  ['close_range', [0, 5, 0]],
  ['pidfd_open', [1, 0]],
  ['ppoll', [0, 3, 0, 0, 0]],
  ['read', [6, 0, 1024]],
  ['rt_sigaction', [13, 0, 0, 8]],
  ['write', [7, 0, 2]],
  ['waitid', [1, 1, 0, 4, 0]],
  ['exit_group', [0]],
].map(([call, args]) => ({ stage: 'Keep', call, args, why: 'keep the terminal' }) as Step);

function execs(steps: readonly Step[]): number {
  return steps.filter(({ call }) => call === 'execve').length;
}
