import { type Arena, layOut, type Plan } from '../../launch/index.ts';
import { type EntryPlan, planEntry } from '../../runtime/entry-plan.ts';
import type { ExecInput } from '../../runtime/exec-input.ts';
import { type HelperInput, type HelperPlan, planHelper } from '../../runtime/helper-plan.ts';
import type { Process, Spec } from '../../runtime/spec.ts';
import { seccompOf } from '../config-file.ts';
import { mappedOwner } from '../writable-layer.ts';
import { readContainerFile } from './container-file.ts';
import type { ExecOptions } from './options.ts';
import { execProcess } from './program.ts';
import type { Target } from './target.ts';

/**
 * What an exec is made of, for a program that starts many that are equal: the same command with the same options in the same container, whose
 * configuration is the same object (`readConfigAgain`), gives the same plans, in the same memory. That memory is used from a system call to the next,
 * without anything awaited in between, so that two at once do not meet in it.
 *
 * Not kept is what depends on more: on the container's users, on variables of ours, on a terminal's size, on who stays as its parent (`more`).
 *
 * @throws {TsboxError} NO_COMMAND, BAD_OPTION, NO_USER
 */
export function execKind(
  target: Pick<Target, 'record' | 'spec' | 'name' | 'pid' | 'pidfd'>,
  command: readonly string[],
  options: ExecOptions,
  more?: Pick<ExecInput, 'detached' | 'keep'>,
): ExecKind {
  const { id, cgroup } = target.record;
  const plain = more === undefined && isPlain(options);
  const key = plain ? JSON.stringify([id, cgroup, command, options.workdir ?? null]) : undefined;
  const at = kept.findIndex((kind) => key !== undefined && kind.key === key && kind.spec === target.spec);
  const kind = at < 0 ? newKind(target, command, options, { key, more }) : kept.splice(at, 1)[0];
  if (key !== undefined) kept.push(kind as ExecKind);
  if (kept.length > MOST) kept.shift();
  return kind as ExecKind;
}

/** The one that was used last is the last. */
const kept: ExecKind[] = [];
/** 100 KB each. */
const MOST = 16;

function isPlain({ env, envFile, tty, user, privileged }: ExecOptions): boolean {
  return !(env || envFile || tty || user || privileged);
}

function newKind(
  target: Pick<Target, 'record' | 'spec' | 'name' | 'pid' | 'pidfd'>,
  command: readonly string[],
  options: ExecOptions,
  { key, more }: { key: string | undefined; more: Parameters<typeof execKind>[3] },
): ExecKind {
  const { spec, record } = target;
  // A megabyte holds 20,000 users.
  const readFile = (path: string) => readContainerFile(target, path, 1024 * 1024);
  const process: Process = execProcess(spec, command, options, readFile);
  const input = {
    ...{ id: record.id, spec, process, seccomp: seccompOf(spec), cgroup: record.cgroup },
    ...more,
  };
  return new ExecKind(key, spec, input);
}

export class ExecKind {
  readonly key: string | undefined;
  readonly spec: Spec;
  readonly input: Omit<ExecInput, 'stdio'>;
  /** Of its streams: the host's id of its user. */
  readonly owner: number;
  #entry: Reused<EntryPlan> | undefined;
  /** By their descriptors, the one that was used last at the end. */
  readonly #helpers = new Map<string, Reused<HelperPlan>>();

  constructor(key: string | undefined, spec: Spec, input: Omit<ExecInput, 'stdio'>) {
    this.key = key;
    this.spec = spec;
    this.input = input;
    this.owner = mappedOwner({ ...spec, process: input.process });
  }

  /** What native/enter.c carries out. Which descriptors the streams are makes no difference to it. */
  entry(stdio: ExecInput['stdio']): Reused<EntryPlan> {
    this.#entry ??= new Reused(planEntry({ ...this.input, stdio }), PLAN_BASE);
    return this.#entry;
  }

  /** What the helper does that becomes native/enter.c. */
  helper(descriptors: Descriptors): Reused<HelperPlan> {
    const key = JSON.stringify(descriptors);
    const helper = this.#helpers.get(key) ?? new Reused(planHelper({ ...this.input, ...descriptors }));
    this.#helpers.delete(key);
    this.#helpers.set(key, helper);
    if (this.#helpers.size > MOST_HELPERS) this.#helpers.delete(this.#helpers.keys().next().value as string);
    return helper;
  }
}

/** What differs from exec to exec: numbers, and where there is one the terminal. */
export type Descriptors = Omit<HelperInput, Exclude<keyof ExecInput, 'stdio'>>;

/** A plan in memory that is carried out again and again. */
export class Reused<P extends Plan> {
  readonly plan: P;
  readonly #arena: Arena;
  readonly #first: Uint8Array;

  constructor(plan: P, base?: number) {
    this.plan = plan;
    this.#arena = layOut(plan, base === undefined ? {} : { base });
    this.#first = new Uint8Array(this.#arena.bytes.subarray(0, this.#arena.outcomeLength));
  }

  /** As if nothing of it had been carried out yet. */
  renew(): Arena {
    this.#arena.bytes.set(this.#first);
    return this.#arena;
  }
}

/** Where native/plan.h says that the plan of another program lies. */
const PLAN_BASE = 0x1000000000;
/** 20 KB each. */
const MOST_HELPERS = 4;
