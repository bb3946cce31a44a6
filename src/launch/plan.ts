import type { SyscallName } from '../kernel/index.ts';

/**
 * A container as data: the list of system calls that make it. It can be printed, timed, compared and tested without root, and
 * native/launch.c carries it out.
 *
 * The steps of `steps` run in the calling thread, up to its end; a step that clones carries the list of the process it makes.
 */
export interface Plan {
  steps: Step[];
}

export interface Step {
  /** The heading it is printed under: what this part of the work is for. */
  stage: string;
  call: SyscallName | 'decimal' | 'clone' | 'await';
  args: readonly Argument[];
  /** Half a line: why it is there. */
  why: string;
  /** Keeps the result (a descriptor, a PID) for later steps. */
  save?: Slot;
  /** Errnos after which the plan goes on; at most four. */
  tolerate?: readonly number[];
  /** How many of the following steps to leave out after a tolerated errno; or `AGAIN`. */
  skipOnError?: number;
  /** How many of the following steps to leave out after success. */
  skipOnSuccess?: number;
  /** For clone3 and clone: what the new process does. */
  child?: Step[];
}

/** As `skipOnError`: the step is carried out again, for as long as the kernel answers with a tolerated errno. */
export const AGAIN = -1;

/** A named place for a result: a descriptor that is known only when the plan runs. Compared by identity. */
export class Slot {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** Something whose value is not how it should be printed: flags by name, a mode in octal. */
export interface Printed {
  value: number | bigint;
  text: string;
}

/** Memory that is passed by address. `pointers` and `slots` are filled in where the plan is laid out or runs. */
export interface Struct {
  bytes: Uint8Array;
  text: string;
  pointers?: readonly { offset: number; to: Argument | SlotAddress | StackArea }[];
  slots?: readonly { offset: number; slot: Slot; width: 4 | 8 }[];
}

/** The address of the slot itself: the kernel writes the result there (clone3's `pidfd`). */
export interface SlotAddress {
  slotAddress: Slot;
}

/** A fresh stack of this many bytes; as a pointer, its lowest address. */
export interface StackArea {
  stack: number;
}

/** A NULL-terminated array of strings, as execve(2) takes them. */
export interface Strings {
  strings: readonly string[];
}

/** A string is passed as NUL-terminated text. */
export type Argument = number | bigint | string | null | Slot | Printed | Struct | Strings | SlotAddress;

/** `flags(O, 'O_RDONLY', 'O_CLOEXEC')`: the word and its names. */
export function flags<Group extends Record<string, number>>(
  group: Group,
  ...names: (keyof Group & string)[]
): Printed {
  const text = names.length === 0 ? '0' : names.join('|');
  // A plan has the same few again and again. The kernel's constants are the same in every group that has them.
  let printed = known.get(text);
  if (printed === undefined) {
    let value = 0;
    // Addition would do as well, but O_RDONLY and the like may be named twice; `|` would cut CLONE_INTO_CGROUP to 32 bits.
    for (const name of new Set(names)) value += group[name] as number;
    printed = { value, text };
    known.set(text, printed);
  }
  return printed;
}

const known = new Map<string, Printed>();

export function octal(mode: number): Printed {
  return { value: mode, text: `0${mode.toString(8)}` };
}

export function named(text: string, value: number | bigint): Printed {
  return { value, text };
}

/** All steps in the order they are printed in: a clone's child directly after it. */
export function allSteps(plan: Plan): Step[] {
  return plan.steps.flatMap(withChildren);
}

function withChildren(step: Step): Step[] {
  return step.child === undefined ? [step] : [step, ...step.child.flatMap(withChildren)];
}
