import { fields } from '../kernel/index.ts';
import type { Slot, Step } from './plan.ts';
import { Words } from './words.ts';

/** A plan in memory. It must stay referenced until the cloned process has exec'd: that process lives in it. */
export class Arena {
  readonly bytes: Buffer;
  /** For each encoded step the step it came from; undefined for what the layout added. */
  readonly steps: readonly (Step | undefined)[];
  readonly #slots: ReadonlyMap<Slot, number>;
  readonly #words: Words;

  constructor(bytes: Buffer, steps: readonly (Step | undefined)[], slots: ReadonlyMap<Slot, number>) {
    this.bytes = bytes;
    this.steps = steps;
    this.#slots = slots;
    this.#words = new Words(bytes);
  }

  /** Before it is carried out again: it has not failed. */
  reset(): void {
    this.#words.half(0, -1);
  }

  /** Another plain number for an argument of a step: a plan that is carried out often is laid out once. */
  setArgument(step: number, argument: number, value: number): void {
    this.#words.word(stepsStart(this.#slots.size) + STEP * step + 8 + 8 * argument, value);
  }

  /** How many of the steps after this one are left out after success. */
  setSkipOnSuccess(step: number, count: number): void {
    this.#words.half(stepsStart(this.#slots.size) + STEP * step + SKIP_ON_SUCCESS, count);
  }

  /** Bytes at the beginning that carrying the plan out changes: slots and steps. */
  get outcomeLength(): number {
    return stepsStart(this.#slots.size) + STEP * this.steps.length;
  }

  /** Which of the slots it is, for another program that has the arena (native/monitor.c); -1 for one that no step uses. */
  slotIndex(slot: Slot): number {
    return this.#slots.get(slot) ?? -1;
  }

  /** What the plan has left in a slot; -1 where no step did. */
  slot(slot: Slot): number {
    const index = this.#slots.get(slot);
    return index === undefined ? -1 : Number(fields(this.bytes).getBigInt64(HEADER + 8 * index, true));
  }

  /** Which step ended the plan; -1 for none. */
  get failedAt(): number {
    return fields(this.bytes).getInt32(0, true);
  }

  /** The step that ended the plan, and its errno. */
  failure(): { step: Step; errno: number } | undefined {
    const index = this.failedAt;
    if (index < 0) return undefined;
    return { step: this.steps[index] as Step, errno: fields(this.bytes).getInt32(4, true) };
  }

  /** What became of each step that was carried out: its errno (0 for success), and when, if the plan was timed. */
  outcomes(): { step: Step; errno: number; began: bigint; ended: bigint }[] {
    const outcomes = [];
    for (const [index, step] of this.steps.entries()) {
      const at = stepsStart(this.#slots.size) + STEP * index;
      if (step === undefined || fields(this.bytes).getInt32(at + DONE, true) === 0) continue;
      outcomes.push({
        step,
        errno: fields(this.bytes).getInt32(at + ERROR, true),
        began: fields(this.bytes).getBigInt64(at + BEGAN, true),
        ended: fields(this.bytes).getBigInt64(at + ENDED, true),
      });
    }
    return outcomes;
  }
}

// What src/launch/lay-out.ts lays down, as native/plan.h has it.
export const HEADER = 16;
export const STEP = 128;
export const SKIP_ON_SUCCESS = 96;
// What native/launch.c leaves in a step.
const ERROR = 100;
const DONE = 104;
const BEGAN = 112;
const ENDED = 120;

/** After the header and the slots, of which there are as many as the plan has. */
export function stepsStart(slots: number): number {
  return HEADER + 8 * slots;
}
