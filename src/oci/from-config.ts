import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { TsboxError } from '../kernel/index.ts';
import { layOut } from '../launch/index.ts';
import { type CgroupPlan, type PlanInput, pathsOfHostFacts, planContainer } from '../runtime/index.ts';
import { seccompFilter } from '../runtime/seccomp/kept.ts';
import { type PreparedCgroup, prepareCgroup, prepareScope, sameCgroup } from './cgroup.ts';
import { type Config, parseConfig } from './config/index.ts';
import { parseBounded } from './config/read-file.ts';
import { readCopies } from './copy-up.ts';
import { stepError } from './explain.ts';
import { hostNow, type Made } from './from-kept.ts';
import { noteCreation } from './kept.ts';
import type { Likeness } from './likeness.ts';
import { type ConnectedListener, connectListener } from './listener.ts';
import { type LaidOut, type Making, numbersFor, PLAN_BASE, type Wanted } from './making.ts';
import { configText, failure } from './state.ts';

/**
 * A container as its configuration says.
 *
 * @param file what the configuration is called in errors
 * @throws {TsboxError} BAD_CONFIG, BAD_OPTION
 */
export function fromConfig(text: Buffer, file: string, wanted: Wanted, likeness?: Likeness): Making {
  const value = parseBounded(text, file);
  const config = parseConfig(value, wanted.bundle);
  checkTerminal(config, wanted.terminal);
  const { hooks, linux } = config;
  const { prestart, createRuntime, poststart = [], poststop = [] } = hooks;
  const known = {
    rootfs: config.root.path,
    annotations: { ...config.annotations },
    hooks: { ...(prestart && { prestart }), ...(createRuntime && { createRuntime }) },
    poststart: poststart.length > 0,
    poststop: poststop.length > 0,
  };
  const json = configText(config);
  const warnings: string[] = [];
  let cgroup: PreparedCgroup;
  return {
    ...known,
    json,
    async group(warn) {
      const said = (message: string) => {
        warnings.push(message);
        warn(message);
      };
      const asked = [linux.cgroupsPath, wanted.id, linux.resources ?? {}, said] as const;
      cgroup = await (wanted.systemd ? prepareScope(...asked) : prepareCgroup(...asked));
      const { plan, unit, release } = cgroup;
      return { path: plan.path, ...(unit !== undefined && { unit }), ...(release && { release }) };
    },
    plan() {
      const listener = connectListener(linux.seccomp);
      const { input, fixed } = inputFor(config, wanted, cgroup.plan, listener);
      const plan = layOutPlan(input, config.process.args);
      // Not one with more to it: what is copied into it, or a filter that somebody else listens to.
      if (likeness !== undefined && fixed && listener === undefined) {
        const root = resolve(wanted.bundle, (value as { root: { path: string } }).root.path);
        const { limits } = cgroup;
        const paths = pathsOfHostFacts(config);
        note(likeness, { ...known, root, group: cgroup.plan.path, limits, warnings, paths }, json, plan);
      }
      return { ...plan, listener };
    },
  };
}

/** For the next one that is like it. */
function note(likeness: Likeness, made: Made, json: string, plan: LaidOut & { slot: number }): void {
  const host = hostNow(made);
  // Which processors there are, is asked for each container.
  if (host === undefined || made.limits.some(({ controller }) => controller === 'cpuset')) return;
  const { bytes, slot, outcomeLength } = plan;
  noteCreation(likeness, { made: JSON.stringify(made), host, plan: bytes, json, slot, outcomeLength });
}

/** What a step was that failed in a plan from a configuration that was not read then. @param outcome the first bytes of the plan */
export function explainOutcome(
  text: Buffer,
  wanted: Wanted,
  outcome: Buffer,
): TsboxError | Promise<TsboxError> {
  const config = parseConfig(parseBounded(text, 'config.json'), wanted.bundle);
  const { linux, process } = config;
  const cgroup = sameCgroup(linux.cgroupsPath, wanted.id, linux.resources ?? {});
  const plan = layOutPlan(inputFor(config, wanted, cgroup, undefined).input, process.args);
  plan.bytes.set(outcome);
  return plan.error();
}

function layOutPlan(input: PlanInput, args: readonly string[]): LaidOut & { slot: number } {
  const plan = planContainer(input);
  const arena = layOut(plan, { base: PLAN_BASE });
  return {
    bytes: arena.bytes,
    outcomeLength: arena.outcomeLength,
    slot: arena.slotIndex(plan.pid),
    pid: () => arena.slot(plan.pid),
    hasFailed: () => arena.failedAt >= 0,
    error() {
      const failed = arena.failure();
      return stepError(failed?.step, failed?.errno ?? 0, args);
    },
  };
}

function inputFor(
  checked: Config,
  wanted: Wanted,
  cgroup: CgroupPlan,
  listener: ConnectedListener | undefined,
): { input: PlanInput; fixed: boolean } {
  const { id, preserve, listenFds } = wanted;
  const config = withListeners(checked, listenFds);
  const numbers = numbersFor(preserve);
  const { hooks, process } = config;
  // Those of the container too: it must not run them before the state is written that they read.
  const early = [hooks.prestart, hooks.createRuntime, hooks.createContainer].some((list) => list?.length);
  const size = process.consoleSize && {
    columns: process.consoleSize.width,
    rows: process.consoleSize.height,
  };
  const copies = readCopies(config.root.path, config.mounts);
  // As os.release() says, without loading node:os.
  const [major = 0, minor = 0] = readFileSync('/proc/sys/kernel/osrelease', 'latin1').split('.').map(Number);
  const input: PlanInput = {
    id,
    spec: config,
    cgroup,
    ...(config.linux.seccomp && {
      seccomp: {
        ...seccompFilter(config.linux.seccomp),
        listener: listener && {
          ...listener.plan,
          socket: numbers.listener,
          message: numbers.message,
        },
      },
    }),
    stdio: wanted.terminal ? { terminalSocket: numbers.console, size } : { stdin: 0, stdout: 1, stderr: 2 },
    ready: numbers.ready,
    files: [],
    copies,
    held: {
      gate: numbers.gate,
      result: numbers.result,
      state: numbers.state,
      third: numbers.third,
      preserve,
      ...(listener && { listener: [numbers.listener, numbers.message] }),
      createContainer: hooks.createContainer ?? [],
      startContainer: hooks.startContainer ?? [],
      ...(early && { acknowledge: numbers.acknowledge }),
    },
    ...(wanted.noPivot && { noPivot: true }),
    ...(wanted.keepKeyring && { keepKeyring: true }),
    kernel: { major, minor },
  };
  return { input, fixed: copies.size === 0 };
}

/** sd_listen_fds(3). What is executed later gets none. */
function withListeners(config: Config, count: number): Config {
  if (count === 0) return config;
  const { env } = config.process;
  return {
    ...config,
    process: { ...config.process, env: [...env, `LISTEN_FDS=${count}`, 'LISTEN_PID=1'] },
  };
}

function checkTerminal({ process }: Config, socket: boolean): void {
  if (process.terminal && !socket)
    throw failure('BAD_OPTION', 'cannot allocate tty if runc will detach without setting console socket');
  if (!process.terminal && socket)
    throw failure('BAD_OPTION', 'cannot use console socket if runc will not detach or allocate tty');
}
