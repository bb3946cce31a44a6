/** A rule in the kernel's numbers; undefined is any. */
export interface Rule {
  allow: boolean;
  type: number | undefined;
  major: number | undefined;
  minor: number | undefined;
  access: number;
}

/**
 * Writes eBPF instructions: 8 bytes each, opcode, two registers of 4 bits, a jump's distance and a constant. Source: RFC 9669;
 * the context is struct bpf_cgroup_dev_ctx of linux/bpf.h.
 */
export class Program {
  readonly #words: number[] = [];

  /** Unpacks the context (access in the upper half of its first word, type in the lower; major; minor) into registers. */
  begin(): void {
    this.#emit(LOAD_WORD, TYPE, CONTEXT, 0);
    this.#emit(MOVE, ACCESS, TYPE);
    this.#emit(AND, TYPE, 0, 0, 0xffff);
    this.#emit(SHIFT_RIGHT, ACCESS, 0, 0, 16);
    this.#emit(LOAD_WORD, MAJOR, CONTEXT, 4);
    this.#emit(LOAD_WORD, MINOR, CONTEXT, 8);
  }

  /**
   * One rule, where those written before it are the later ones, which win. ACCESS holds what of the request is not yet allowed: a rule that
   * allows takes its part away, and nothing left means yes; a rule that denies any of the rest means no.
   */
  rule({ allow, type, major, minor, access }: Rule): void {
    const verdict = allow ? ALLOW : DENY;
    const decision: Instruction[] = allow
      ? [[AND, ACCESS, 0, 0, 7 & ~access], [JUMP_UNEQUAL, ACCESS, 0, verdict.length, 0], ...verdict]
      : [[JUMP_SET, ACCESS, 0, 1, access], [JUMP, 0, 0, verdict.length], ...verdict];
    const conditions = [
      [TYPE, type],
      [MAJOR, major],
      [MINOR, minor],
    ].filter((pair): pair is [number, number] => pair[1] !== undefined);
    conditions.forEach(([register, value], i) => {
      // To the next rule: over the conditions that follow and the decision.
      this.#emit(JUMP_UNEQUAL, register, 0, conditions.length - 1 - i + decision.length, value);
    });
    for (const instruction of decision) this.#emit(...instruction);
  }

  /** What is answered where no rule decided. */
  verdict(allow: boolean): void {
    for (const instruction of allow ? ALLOW : DENY) this.#emit(...instruction);
  }

  bytes(): Buffer {
    return Buffer.from(Int32Array.from(this.#words).buffer);
  }

  /** As two words of 32 bits. Both machines that tsbox runs on are little-endian, and eBPF is what the machine is. */
  #emit(opcode: number, destination = 0, source = 0, offset = 0, constant = 0): void {
    this.#words.push(opcode | (destination << 8) | (source << 12) | (offset << 16), constant);
  }
}

type Instruction = [
  opcode: number,
  destination?: number,
  source?: number,
  offset?: number,
  constant?: number,
];

// Registers: 0 is the answer, 1 comes with the context.
const ANSWER = 0;
const CONTEXT = 1;
const TYPE = 2;
const ACCESS = 3;
const MAJOR = 4;
const MINOR = 5;

const LOAD_WORD = 0x61; // LDX | MEM | W
const MOVE = 0xbf; // ALU64 | MOV | X
const MOVE_CONSTANT = 0xb7; // ALU64 | MOV | K
const AND = 0x54; // ALU | AND | K: the 32-bit operations clear the upper half
const SHIFT_RIGHT = 0x74; // ALU | RSH | K
const JUMP = 0x05; // JMP | JA
const JUMP_SET = 0x45; // JMP | JSET | K
const JUMP_UNEQUAL = 0x55; // JMP | JNE | K
const EXIT = 0x95;

const ALLOW: Instruction[] = [[MOVE_CONSTANT, ANSWER, 0, 0, 1], [EXIT]];
const DENY: Instruction[] = [[MOVE_CONSTANT, ANSWER, 0, 0, 0], [EXIT]];
