import { AT, CLONE, O, PR } from '../kernel/index.ts';
import { cloneStep, flags, named, type Plan, Slot, type Step } from '../launch/index.ts';
import type { Bystander } from './bystander.ts';
import { passes } from './filter-check.ts';
import { dropPrivileges, type SeccompFilter } from './identity.ts';
import { entryFlags, has } from './namespaces.ts';
import {
  controlTerminal,
  enterDirectory,
  execProgram,
  openPty,
  placeStdio,
  type Stdio,
  type TerminalStdio,
} from './program.ts';
import { schedule, setAffinity } from './schedule.ts';
import * as settings from './settings.ts';
import type { Process, Spec } from './spec.ts';
import { Stage } from './stage.ts';

/** Everything that the plan of a program depends on that is started in a running container. */
export interface ExecInput {
  /** The container's. */
  id: string;
  /** The container's configuration as it runs. */
  spec: Pick<Spec, 'linux'>;
  /** The program, with the capabilities, limits and ids that it is to have. */
  process: Process;
  seccomp?: SeccompFilter | undefined;
  /** The absolute directory of the container's cgroup. */
  cgroup?: string | undefined;
  /** Whether the session keyring of this process stays. */
  keepKeyring?: boolean;
  stdio: Stdio | TerminalStdio;
  /** Whether it outlives this process: then native/enter.c stays as its parent; or, `adopted`, whoever adopts this process's children. */
  detached?: boolean | 'adopted';
  /** Of a detached one with a terminal: native/enter.c keeps that open. `status`: where it says how the program has ended, the write end of a pipe. */
  keep?: { status?: number };
  /** How many descriptors from 3 on the program gets besides its streams. */
  preserve?: number;
}

/** What native/enter.c carries out; `pid` is then the program's. */
export interface EntryPlan extends Plan {
  pid: Slot;
}

/** Descriptors of native/enter.c, after the three streams; 3 is the plan itself. Above those that the program gets. */
function numbersOf({ preserve = 0 }: Pick<ExecInput, 'preserve'>) {
  const first = preserve > 0 ? 4 + preserve : 4;
  return {
    container: first,
    ready: first + 1,
    socket: first + 2,
    third: first + 3,
    listener: first + 4,
    message: first + 5,
    // Of the keeper, in the places of what is not needed any more.
    master: first + 2,
    status: first + 3,
  };
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

/** Where the helper finds what it needs: descriptors of this process. */
export interface HelperInput extends ExecInput {
  /** The container's PID 1, a pidfd. */
  container: number;
  /** native/enter.c as a program that nobody can change. */
  enter: number;
  /** The plan of `planEntry`, in memory. */
  plan: number;
  /** How many bytes of it come back. */
  outcomeLength: number;
  /** The write end of a close-on-exec pipe. */
  ready: number;
  /** Where the plan leaves the program's PID, for who keeps its terminal. */
  pidSlot?: number;
}

export interface HelperPlan extends Plan {
  /** It ends as soon as the program is cloned (of a detached one: as soon as the helper is); it must be reaped. */
  helper: Bystander;
}

/**
 * The other plan: a helper in the container's cgroup, which becomes native/enter.c. This thread waits for that (CLONE_VFORK): until
 * then it shares Node's memory, and a process that somebody waits for so is not killed when the container's memory is used up, and Node
 * with it (mm/oom_kill.c, oom_badness).
 */
export function planHelper(input: HelperInput): HelperPlan {
  const steps: Step[] = [];
  const stage = new Stage(steps, 'Help');
  const cgroup =
    input.cgroup === undefined
      ? undefined
      : stage.open(
          'cgroup',
          'openat',
          [named('AT_FDCWD', AT.AT_FDCWD), input.cgroup, flags(O, 'O_RDONLY', 'O_DIRECTORY', 'O_CLOEXEC')],
          "the container's cgroup",
        );
  const helper = { pid: new Slot('helper'), pidfd: new Slot('helper_pidfd') };
  const into = cgroup ? (['CLONE_INTO_CGROUP'] as const) : [];
  const common = { stage: 'Help', exitSignal: 0, ...(cgroup && { cgroup }), child: helperSteps(input) };
  const flagsOfAll = ['CLONE_VM', 'CLONE_VFORK', 'CLONE_CLEAR_SIGHAND'] as const;
  const why = "a helper in the container's cgroup, but in none of its namespaces";
  if (input.detached === true) {
    const own = cloneStep({ ...common, why, flags: [...flagsOfAll, ...into], pid: new Slot('enter') });
    const child: Step[] = [own];
    new Stage(child, 'Help (parent)').call('exit_group', [0], 'so that the helper is nobody’s child here');
    steps.push(
      cloneStep({
        ...{ stage: 'Help', exitSignal: 0, ...helper, child },
        why: 'a parent for the helper that is not us',
        flags: [...flagsOfAll, 'CLONE_PIDFD'],
      }),
    );
  } else {
    steps.push(cloneStep({ ...common, ...helper, why, flags: [...flagsOfAll, 'CLONE_PIDFD', ...into] }));
  }
  if (cgroup) stage.call('close', [cgroup], 'done');
  return { steps, helper };
}

function helperSteps(input: HelperInput): Step[] {
  const steps: Step[] = [];
  const stage = new Stage(steps, 'Help (helper)');
  if (input.detached === true) stage.call('setsid', [], 'Ctrl-C on our terminal is not for it');
  else if (!input.detached)
    stage.call('prctl', [flags(PR, 'PR_SET_PDEATHSIG'), named('SIGKILL', 9)], 'if tsbox dies it dies');
  const { stdio, container } = input;
  // With a terminal something must keep these three numbers: what is opened next would get them.
  const streams =
    'terminalSocket' in stdio ? [container, container, container] : [stdio.stdin, stdio.stdout, stdio.stderr];
  const to = numbersOf(input);
  const keep = input.keep && input.pidSlot;
  const preserve = input.preserve ?? 0;
  const wanted: [name: string, fd: number, target: number][] = streams.map((fd, target) => [
    STREAMS[target] as string,
    fd,
    target,
  ]);
  wanted.push(
    ['plan', input.plan, 3],
    ['container', container, to.container],
    ['ready', input.ready, to.ready],
  );
  if ('terminalSocket' in stdio) wanted.push(['terminal_socket', stdio.terminalSocket, to.socket]);
  if (input.seccomp?.listener) {
    wanted.push(['listener', input.seccomp.listener.socket, to.listener]);
    wanted.push(['message', input.seccomp.listener.message, to.message]);
  }
  if (input.keep?.status !== undefined) wanted.push(['status', input.keep.status, to.status]);
  // Those that the program gets have their numbers already; but 3 is the plan's for now.
  if (preserve > 0) wanted.push(['third', 3, to.third]);
  const highest = input.seccomp?.listener ? to.message : to.third;
  // First out of the way what has a number that another is to get.
  const enter = aside(stage, input.enter, 'enter', highest);
  const copies = wanted.map(([name, fd, target]) => ({
    name,
    target,
    fd: aside(stage, fd, name, highest),
  }));
  for (const { name, target, fd } of copies) stage.call('dup3', [fd, target, 0], name);
  for (let fd = 4; fd < 3 + preserve; fd++)
    stage.call('fcntl', [fd, named('F_SETFD', 2), 0], 'one that the program gets');
  stage.call(
    'close_range',
    [
      Math.max(...wanted.map(([, , target]) => target)) + 1,
      named('~0', 0xffffffff),
      named('CLOSE_RANGE_CLOEXEC', 4),
    ],
    'nothing else of ours goes along',
  );
  stage.call(
    'execveat',
    [
      enter,
      '',
      { strings: enterArguments(input.outcomeLength, input.detached === true, to.ready, keep) },
      { strings: [] },
      flags(AT, 'AT_EMPTY_PATH'),
    ],
    'leave the memory of Node before anything of the container is near',
  );
  return steps;
}

const STREAMS = ['stdin', 'stdout', 'stderr'];

/** What native/enter.c is called with, in the order of its usage. @param keep the slot of the program's PID, where its terminal is kept */
export function enterArguments(outcomeLength: number, wait: boolean, ready: number, keep?: number): string[] {
  const start = ['tsbox-enter', String(outcomeLength)];
  if (keep !== undefined) return [...start, 'keep', String(ready), String(keep)];
  const more = ready === 5 ? (wait ? ['wait'] : []) : [wait ? 'wait' : 'leave', String(ready)];
  return [...start, ...more];
}

/** Moves a descriptor above those numbers that somebody is to get. */
export function aside(stage: Stage, fd: number, name: string, last: number): Slot | number {
  if (fd > last) return fd;
  return stage.open(
    name,
    'fcntl',
    [fd, named('F_DUPFD_CLOEXEC', 1030), Math.max(64, last + 1)],
    'out of the way',
  );
}

/** Both plans as one list, in the order in which they are carried out: to be shown, not to be run. */
export function explainExec(input: ExecInput): Plan {
  const entry = planEntry(input);
  const descriptors = { container: 9, enter: 10, plan: 11, ready: 12, outcomeLength: 0 };
  const { steps } = planHelper({ ...input, ...descriptors });
  return {
    steps: steps.map((step) => (step.child ? { ...step, child: [...step.child, ...entry.steps] } : step)),
  };
}
