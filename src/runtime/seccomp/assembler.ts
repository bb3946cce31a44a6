import { TsboxError } from '../../kernel/error.ts';

/** Operation codes of classic BPF (linux/bpf_common.h), those that a seccomp filter needs. */
export const BPF = {
  LD_W_ABS: 0x20,
  ALU_AND_K: 0x54,
  JA: 0x05,
  JEQ_K: 0x15,
  JGT_K: 0x25,
  JGE_K: 0x35,
  RET_K: 0x06,
} as const;

/** The kernel takes no longer filter (linux/bpf_common.h). */
export const BPF_MAXINSNS = 4096;

/** A place in the program: its distance from the end. */
export type Label = number;

/**
 * A program that is written from its end to its beginning. BPF only jumps forward, so every target is already there when a jump to
 * it is written, its distance is known, and the same code is never written twice: an instruction that goes to the same places
 * as an earlier one *is* the earlier one, wherever that can be reached.
 */
export class Assembler {
  /** Last instruction first. */
  readonly #code: { code: number; jt: number; jf: number; k: number }[] = [];
  readonly #known = new Map<string, Label>();
  /** The last copy of, or jump to, a target that was too far away: the next far jump can use it too. */
  readonly #copies = new Map<Label, Label>();

  /** End with this verdict. */
  ret(value: number): Label {
    return this.#shared(`ret ${value}`, () => this.#put(BPF.RET_K, 0, 0, value));
  }

  /** Load 32 bits of `struct seccomp_data` at this offset, then go on at `next`. */
  load(offset: number, next: Label): Label {
    return this.#shared(`ld ${offset} ${next}`, () => this.#before(next, BPF.LD_W_ABS, offset));
  }

  /** Keep these bits of what was loaded, then go on at `next`. */
  and(mask: number, next: Label): Label {
    return this.#shared(`and ${mask} ${next}`, () => this.#before(next, BPF.ALU_AND_K, mask));
  }

  /** Compare what was loaded with `k`, unsigned. */
  jump(code: number, k: number, then: Label, otherwise: Label): Label {
    if (then === otherwise) return then;
    return this.#shared(`${code} ${k} ${then} ${otherwise}`, () => {
      // Bringing the second target near may move the first one an instruction further away.
      const [near, far] = [this.#near(then, 1), this.#near(otherwise, 0)];
      return this.#put(code, this.#distance(near), this.#distance(far), k);
    });
  }

  /** The whole as an array of `struct sock_filter`. It begins at the label that was made last. */
  bytes(start: Label): Buffer {
    if (start !== this.#code.length) this.#goto(start);
    const length = this.#code.length;
    if (length > BPF_MAXINSNS)
      throw new TsboxError(
        'SECCOMP_TOO_LONG',
        `the seccomp profile needs a filter of ${length} instructions, the kernel takes ${BPF_MAXINSNS}`,
        {
          advice: 'name fewer system calls with conditions on their arguments',
        },
      );
    const bytes = Buffer.alloc(8 * length);
    this.#code.forEach(({ code, jt, jf, k }, index) => {
      const at = 8 * (length - 1 - index);
      bytes.writeUInt16LE(code, at);
      bytes.writeUInt8(jt, at + 2);
      bytes.writeUInt8(jf, at + 3);
      bytes.writeUInt32LE(k, at + 4);
    });
    return bytes;
  }

  #put(code: number, jt: number, jf: number, k: number): Label {
    return this.#code.push({ code, jt, jf, k });
  }

  /** How many instructions a jump written now would skip. */
  #distance(label: Label): number {
    return this.#code.length - label;
  }

  #before(next: Label, code: number, k: number): Label {
    if (this.#distance(next) !== 0) this.#goto(next);
    return this.#put(code, 0, 0, k);
  }

  /** A label that does what this one does and that a conditional jump reaches, also after `more` further instructions. */
  #near(label: Label, more: number): Label {
    const nearest = this.#copies.get(label) ?? label;
    if (this.#distance(nearest) + more <= 255) return nearest;
    const copy = this.#goto(label);
    this.#copies.set(label, copy);
    return copy;
  }

  /** A return is copied, as it is no longer than the jump to it. */
  #goto(label: Label): Label {
    const target = this.#code[label - 1];
    if (target?.code === BPF.RET_K) return this.#put(BPF.RET_K, 0, 0, target.k);
    return this.#put(BPF.JA, 0, 0, this.#distance(label));
  }

  #shared(key: string, make: () => Label): Label {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const label = make();
    this.#known.set(key, label);
    return label;
  }
}
