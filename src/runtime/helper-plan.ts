import { AT, O, PR } from '../kernel/index.ts';
import { cloneStep, flags, named, type Plan, Slot, type Step } from '../launch/index.ts';
import type { Bystander } from './bystander.ts';
import { type ExecInput, numbersOf } from './exec-input.ts';
import { Stage } from './stage.ts';

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
