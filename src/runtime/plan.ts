import { cloneStep, named, type Plan, Slot, type Step } from '../launch/index.ts';
import type { Bystander } from './bystander.ts';
import { makeCgroup } from './cgroup-steps.ts';
import { buildContainer } from './container.ts';
import { joinNamespaces, joinUserNamespace, mapMounts } from './join.ts';
import { cloneFlags, hasOwn } from './namespaces.ts';
import { dieWithParent, forgetReader } from './parent-death.ts';
import type { PlanInput } from './plan-input.ts';
import { requireFeatures } from './requirements.ts';
import { Stage } from './stage.ts';
import { makeUserNamespace } from './user-namespace.ts';

/** A plan and the slots in which its results are. */
export interface ContainerPlan extends Plan {
  /** The program's PID. */
  pid: Slot;
  /** Its pidfd; absent where a helper clones it. */
  pidfd: Slot | undefined;
  /** Clones the container and exits: it must be reaped. */
  helper: Bystander | undefined;
  /** Holds the user namespace open. The plan itself ends and reaps it, unless it fails in between. */
  holder: Bystander | undefined;
}

/**
 * Turns a container's configuration into the list of system calls that makes it. Computes only: nothing is opened, made or asked of the kernel.
 *
 * Usually this thread clones the container directly. With a user namespace, an OOM score of its own or little memory, a helper stands between:
 * it does what only the host's root may do (id-mapped layers, bind sources, device nodes), enters the namespace and clones the container as its *sibling* (CLONE_PARENT), so that tsbox is
 * the parent all the same. And as it waits for the exec (CLONE_VFORK), the kernel lets the container's OOM score be its own;
 * without, all processes that share memory are given the same (fs/proc/base.c, __set_oom_adj), and the clone still shares Node's. Likewise
 * a process that somebody waits for so is not killed for memory, and Node with it (mm/oom_kill.c, oom_badness): its calls fail instead.
 */
export function planContainer(input: PlanInput): ContainerPlan {
  requireFeatures(input);
  const steps: Step[] = [];
  const { linux, process } = input.spec;
  const maps = { uid: linux.uidMappings ?? [], gid: linux.gidMappings ?? [] };
  if (input.held) joinNamespaces(steps, linux);
  const cgroup = input.cgroup && makeCgroup(new Stage(steps, 'Limit'), input.cgroup);
  const mapped = hasOwn(linux, 'user') ? makeUserNamespace(steps, maps, input) : undefined;
  const userns = mapped?.userns ?? joinUserNamespace(steps, linux);
  const pid = new Slot('pid');
  const owners = mapMounts(steps, input, userns);
  const container = buildContainer(input, userns, owners);
  const common = { pid, cgroup, child: container.steps };
  const namespaces = cloneFlags(linux);
  // Whoever is asked for its network looks for its PID at once; a helper that waits for the exec has not got the result of clone3 by then.
  const early = input.networkSocket === undefined ? [] : (['CLONE_PARENT_SETTID'] as const);
  const into = cgroup ? (['CLONE_INTO_CGROUP'] as const) : [];
  let pidfd: Slot | undefined;
  let helper: Bystander | undefined;
  const { held } = input;
  // One that waits does not share the memory of who makes it: nothing of that one is at stake.
  const shares = held ? [] : (['CLONE_VM'] as const);
  if (userns || (!held && (process.oomScoreAdj !== undefined || input.cgroup?.tight))) {
    helper = { pid: new Slot('helper'), pidfd: new Slot('helper_pidfd') };
    const child: Step[] = [];
    const arriving = new Stage(child, 'Arrive (helper)');
    forgetReader(arriving, input);
    dieWithParent(arriving, input, 'if tsbox dies it dies');
    child.push(...container.hostSteps);
    const stage = new Stage(child, 'Hand over');
    if (userns)
      stage.call(
        'setns',
        [userns, named('CLONE_NEWUSER', 0x10000000)],
        'the namespaces made next belong to this one',
      );
    child.push(
      cloneStep({
        ...common,
        stage: 'Hand over',
        why: 'the container, in its own namespaces and cgroup, as a child of tsbox',
        flags: [
          ...(held ? [] : (['CLONE_VM', 'CLONE_VFORK'] as const)),
          ...(['CLONE_PARENT', 'CLONE_CLEAR_SIGHAND'] as const),
          ...early,
          ...into,
          ...namespaces,
        ],
        exitSignal: 0,
      }),
    );
    stage.call('exit_group', [0], 'the helper is done');
    steps.push(
      cloneStep({
        stage: 'Isolate',
        why: 'a helper, which still is root on the host',
        flags: [
          'CLONE_VM',
          'CLONE_PIDFD',
          'CLONE_CLEAR_SIGHAND',
          ...(held ? (['CLONE_VFORK'] as const) : []),
          ...(userns ? (['CLONE_NEWNS'] as const) : []),
        ],
        exitSignal: 0,
        ...helper,
        child,
      }),
    );
  } else {
    pidfd = new Slot('pidfd');
    const child: Step[] = [];
    forgetReader(new Stage(child, 'Arrive'), input);
    child.push(...container.steps);
    steps.push(
      cloneStep({
        ...common,
        child,
        pidfd,
        stage: 'Isolate',
        why: 'a process in namespaces of its own and, from its first instruction, in its cgroup',
        flags: [...shares, 'CLONE_PIDFD', 'CLONE_CLEAR_SIGHAND', ...early, ...into, ...namespaces],
        exitSignal: SIGCHLD,
      }),
    );
  }
  const after = new Stage(steps, 'Let go');
  if (held && helper)
    after.call(
      'waitid',
      [named('P_PIDFD', 3), helper.pidfd, null, named('WEXITED|__WALL', 0x40000004), null],
      'no zombie stays',
    );
  after.call('close', [input.ready], 'only the container holds this end now');
  if (input.networkSocket !== undefined) after.call('close', [input.networkSocket], 'likewise');
  if (cgroup) after.call('close', [cgroup], 'done');
  if (userns) after.call('close', [userns], 'done');
  return { steps, pid, pidfd, helper, holder: mapped?.holder };
}

const SIGCHLD = 17;
