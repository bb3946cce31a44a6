/**
 * Writes numbers into an arena, by halves of a word, which any number of a double's 53 bits splits into. Buffer's own writers, and a
 * BigInt a word, took 5 ms for a plan of 250 steps: most of a start happens before V8 has compiled anything.
 */
export class Words {
  readonly #halves: Int32Array;

  constructor(bytes: Buffer) {
    this.#halves = new Int32Array(bytes.buffer);
  }

  /** Four bytes; both machines are little-endian. */
  half(at: number, value: number): void {
    this.#halves[at >> 2] = value;
  }

  /** Eight bytes, in two's complement. */
  word(at: number, value: number | bigint): void {
    if (typeof value === 'bigint') {
      this.#halves[at >> 2] = Number(BigInt.asIntN(32, value));
      this.#halves[(at >> 2) + 1] = Number(BigInt.asIntN(32, value >> 32n));
    } else {
      this.#halves[at >> 2] = value;
      this.#halves[(at >> 2) + 1] = Math.floor(value / 2 ** 32);
    }
  }
}
