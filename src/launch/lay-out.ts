import { native, syscallNumber, TsboxError } from '../kernel/index.ts';
import { Arena, HEADER, SKIP_ON_SUCCESS, STEP, stepsStart } from './arena.ts';
import type { Argument, Plan, SlotAddress, StackArea, Step, Struct } from './plan.ts';
import { Slot } from './plan.ts';
import { Words } from './words.ts';

/**
 * Lays a plan out in memory as native/plan.h defines it: a header, the slots, the steps, then the strings, structs and stacks that
 * they point to. Everything has its final address, so the process that carries it out only reads.
 *
 * @param options.base where another program will map it (native/enter.c); default: where it lies in this one
 */
export function layOut(plan: Plan, options: { timed?: boolean; base?: number } = {}): Arena {
  const code = new Code();
  code.list(plan.steps);
  return code.arena(options.timed ?? false, options.base);
}

const OP = { clone: -1, poke: -2, decimal: -3, end: -4, fork: -5, await: -6 } as const;

type Pointee = Argument | StackArea;

/** An encoded argument: a plain number, an offset into the data, the address of a slot, or a slot's content. */
type Value =
  | { kind: 'number'; value: number | bigint }
  | { kind: 'data' | 'slotAddress' | 'slot'; index: number };

interface Encoded {
  step: Step | undefined;
  number: number;
  args: Value[];
  save: number;
  /** Set once all steps are encoded: how many encoded steps to leave out. */
  skipOnError: number;
  skipOnSuccess: number;
}

class Code {
  readonly #steps: Encoded[] = [];
  readonly #slots = new Map<Slot, number>();
  readonly #written = new Set<number>();
  readonly #data: { bytes: Uint8Array; offset: number }[] = [];
  readonly #texts = new Map<string, number>();
  /** The same object is the same memory: one step may fill what another reads. */
  readonly #structs = new Map<Struct, number>();
  readonly #pointers: { at: number; value: Value }[] = [];
  #dataLength = 0;

  /** Encodes a list and its end, then the lists of the processes it clones. */
  list(steps: readonly Step[]): number {
    const start = this.#steps.length;
    const children: { clone: Encoded; steps: Step[] }[] = [];
    const positions: number[] = [];
    const encoded: Encoded[] = [];
    for (const step of steps) {
      positions.push(this.#steps.length);
      const code = this.#step(step);
      encoded.push(code);
      if (step.child) children.push({ clone: code, steps: step.child });
    }
    positions.push(this.#steps.length);
    // A step may have become several, so "leave out two steps" is counted in what they became.
    for (const [index, step] of steps.entries()) {
      const code = encoded[index] as Encoded;
      const after = positions[index + 1] as number;
      const skip = (count = 0) => (positions[Math.min(index + 1 + count, steps.length)] as number) - after;
      code.skipOnError = skip(step.skipOnError);
      code.skipOnSuccess = skip(step.skipOnSuccess);
    }
    this.#push(undefined, OP.end, []);
    for (const child of children) child.clone.args[3] = number(this.list(child.steps));
    return start;
  }

  #step(step: Step): Encoded {
    const args = step.args.map((argument) => this.#value(argument));
    if (step.call === 'decimal') return this.#push(step, OP.decimal, args);
    if (step.call === 'await') return this.#push(step, OP.await, args);
    if (step.call === 'clone')
      return this.#push(step, OP.fork, [args[0] as Value, number(0), number(0), number(0)]);
    if (step.call !== 'clone3') return this.#push(step, syscallNumber(step.call), args);
    return this.#push(step, OP.clone, [args[0] as Value, args[1] as Value, number(0), number(0)]);
  }

  #push(step: Step | undefined, code: number, args: Value[]): Encoded {
    const save = step?.save === undefined ? -1 : this.#slotIndex(step.save);
    const encoded: Encoded = { step, number: code, args, save, skipOnError: 0, skipOnSuccess: 0 };
    this.#steps.push(encoded);
    return encoded;
  }

  #value(argument: Pointee): Value {
    if (argument === null) return number(0);
    if (typeof argument === 'number' || typeof argument === 'bigint') return number(argument);
    if (typeof argument === 'string') return { kind: 'data', index: this.#text(argument) };
    if (argument instanceof Slot) return { kind: 'slot', index: this.#slotIndex(argument) };
    if ('slotAddress' in argument) return this.#slotAddress(argument);
    if ('value' in argument) return number(argument.value);
    if ('strings' in argument) return this.#strings(argument.strings);
    if ('stack' in argument) return { kind: 'data', index: this.#reserve(new Uint8Array(0), argument.stack) };
    return this.#struct(argument);
  }

  #struct(struct: Struct): Value {
    const known = this.#structs.get(struct);
    if (known !== undefined) return { kind: 'data', index: known };
    const index = this.#reserve(struct.bytes, struct.bytes.length);
    this.#structs.set(struct, index);
    for (const { offset, to } of struct.pointers ?? [])
      this.#pointers.push({ at: index + offset, value: this.#value(to) });
    for (const { offset, slot, width } of struct.slots ?? []) {
      const source: Value = { kind: 'slot', index: this.#slotIndex(slot) };
      this.#push(undefined, OP.poke, [{ kind: 'data', index: index + offset }, source, number(width)]);
    }
    return { kind: 'data', index };
  }

  #strings(strings: readonly string[]): Value {
    const index = this.#reserve(new Uint8Array(0), 8 * (strings.length + 1));
    for (const [i, text] of strings.entries()) {
      this.#pointers.push({ at: index + 8 * i, value: { kind: 'data', index: this.#text(text) } });
    }
    return { kind: 'data', index };
  }

  #slotAddress(argument: SlotAddress): Value {
    const index = this.#slotIndex(argument.slotAddress);
    this.#written.add(index);
    return { kind: 'slotAddress', index };
  }

  #text(text: string): number {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    // The kernel would see only what is before it: another path than the one that was checked.
    if (text.includes('\0')) throw new TsboxError('BAD_SPEC', `a NUL character in ${JSON.stringify(text)}`);
    const bytes = Buffer.from(text);
    const index = this.#reserve(bytes, bytes.length + 1);
    this.#texts.set(text, index);
    return index;
  }

  /** 16 bytes is the alignment that a stack needs; no struct needs more. */
  #reserve(bytes: Uint8Array, length: number): number {
    const offset = this.#dataLength;
    this.#data.push({ bytes, offset });
    this.#dataLength = offset + Math.ceil(length / 16) * 16;
    return offset;
  }

  #slotIndex(slot: Slot): number {
    let index = this.#slots.get(slot);
    if (index === undefined) {
      index = this.#slots.size;
      this.#slots.set(slot, index);
    }
    return index;
  }

  arena(timed: boolean, fixed: number | undefined): Arena {
    const start = stepsStart(this.#slots.size);
    const dataStart = Math.ceil((start + STEP * this.#steps.length) / 16) * 16;
    // An ArrayBuffer of its own, never a piece of Node's pool: its address is written into it.
    const bytes = Buffer.from(new ArrayBuffer(dataStart + this.#dataLength + 16));
    const base = fixed ?? Number(native().address(bytes));
    const words = new Words(bytes);
    // The kernel wants a stack on a multiple of 16, and malloc gives just that (ArrayBuffers are at least so aligned).
    const absolute = (value: Value): number | bigint => {
      if (value.kind === 'number') return value.value;
      if (value.kind === 'data') return base + dataStart + value.index;
      if (value.kind === 'slotAddress') return base + HEADER + 8 * value.index;
      return 0;
    };
    words.half(0, -1);
    words.half(8, timed ? 1 : 0);
    words.half(12, this.#slots.size);
    for (let index = 0; index < this.#slots.size; index++) {
      // Where the kernel itself writes a descriptor, it writes four bytes of the eight.
      words.word(HEADER + 8 * index, this.#written.has(index) ? 0 : -1);
    }
    for (const [index, step] of this.#steps.entries()) writeStep(words, start + STEP * index, step, absolute);
    for (const { bytes: content, offset } of this.#data) bytes.set(content, dataStart + offset);
    // After the structs, which they complete.
    for (const { at, value } of this.#pointers) words.word(dataStart + at, absolute(value));
    return new Arena(
      bytes,
      this.#steps.map((encoded) => encoded.step),
      this.#slots,
    );
  }
}

function number(value: number | bigint): Value {
  return { kind: 'number', value };
}

function writeStep(
  words: Words,
  at: number,
  encoded: Encoded,
  absolute: (value: Value) => number | bigint,
): void {
  words.word(at, encoded.number);
  for (let i = 0; i < 6; i++) {
    const value = encoded.args[i];
    if (value !== undefined) words.word(at + 8 + 8 * i, absolute(value));
    words.half(at + 56 + 4 * i, value?.kind === 'slot' ? value.index : -1);
  }
  words.half(at + 80, encoded.save);
  const [a = 0, b = 0, c = 0, d = 0] = encoded.step?.tolerate ?? [];
  words.half(at + 84, a | (b << 16));
  words.half(at + 88, c | (d << 16));
  words.half(at + 92, encoded.skipOnError);
  words.half(at + SKIP_ON_SUCCESS, encoded.skipOnSuccess);
}
