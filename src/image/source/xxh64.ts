/**
 * XXH64 with seed 0, the checksum of zstd frames, for streams. By its specification (github.com/Cyan4973/xxHash, doc/xxhash_spec.md), in
 * numbers of 32 bits: BigInt takes ten times as long, and half of what is multiplied here is thrown away.
 */
export class Xxh64 {
  // Four accumulators, each as a low and a high half.
  readonly #lanes = new Int32Array(8);
  readonly #rest = Buffer.alloc(32);
  #held = 0;
  #length = 0;

  constructor() {
    this.#lanes.set([...split(P1 + P2), ...split(P2), 0, 0, ...split(-P1)]);
  }

  update(bytes: Buffer): void {
    this.#length += bytes.length;
    let at = 0;
    if (this.#held > 0) {
      at = bytes.copy(this.#rest, this.#held, 0, 32 - this.#held);
      this.#held += at;
      if (this.#held < 32) return;
      consume(this.#lanes, this.#rest, 0, 32);
      this.#held = 0;
    }
    const end = at + Math.floor((bytes.length - at) / 32) * 32;
    consume(this.#lanes, bytes, at, end);
    this.#held = bytes.copy(this.#rest, 0, end);
  }

  /** The low half, which is what zstd keeps. */
  digest(): number {
    const lane = (index: number) => {
      const [low = 0, high = 0] = this.#lanes.subarray(index * 2, index * 2 + 2);
      return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
    };
    let hash = P5;
    if (this.#length >= 32) {
      hash = wrap(rotate(lane(0), 1n) + rotate(lane(1), 7n) + rotate(lane(2), 12n) + rotate(lane(3), 18n));
      for (let index = 0; index < 4; index++) hash = wrap((hash ^ round(0n, lane(index))) * P1 + P4);
    }
    hash = finish(wrap(hash + BigInt(this.#length)), this.#rest.subarray(0, this.#held));
    return Number(hash & 0xffffffffn);
  }
}

const P1 = 0x9e3779b185ebca87n;
const P2 = 0xc2b2ae3d27d4eb4fn;
const P3 = 0x165667b19e3779f9n;
const P4 = 0x85ebca77c2b2ae63n;
const P5 = 0x27d4eb2f165667c5n;
const wrap = (value: bigint) => BigInt.asUintN(64, value);
const rotate = (value: bigint, bits: bigint) => wrap((value << bits) | (value >> (64n - bits)));
const round = (lane: bigint, input: bigint) => wrap(rotate(wrap(lane + input * P2), 31n) * P1);

function split(value: bigint): [low: number, high: number] {
  const bits = wrap(value);
  return [Number(bits & 0xffffffffn), Number(bits >> 32n)];
}

/** What is left after the blocks of 32 bytes, in portions of 8, 4 and 1, and the final mixing. */
function finish(start: bigint, rest: Buffer): bigint {
  let hash = start;
  let at = 0;
  for (; at + 8 <= rest.length; at += 8) {
    hash = wrap(rotate(hash ^ round(0n, rest.readBigUInt64LE(at)), 27n) * P1 + P4);
  }
  if (at + 4 <= rest.length) {
    hash = wrap(rotate(wrap(hash ^ wrap(BigInt(rest.readUInt32LE(at)) * P1)), 23n) * P2 + P3);
    at += 4;
  }
  for (; at < rest.length; at++) hash = wrap(rotate(hash ^ wrap(BigInt(rest[at] as number) * P5), 11n) * P1);
  hash = wrap((hash ^ (hash >> 33n)) * P2);
  hash = wrap((hash ^ (hash >> 29n)) * P3);
  return hash ^ (hash >> 32n);
}

const [P1_LOW, P1_HIGH] = split(P1);
const [P2_LOW, P2_HIGH] = split(P2);

/** Each lane: add input × P2, rotate left by 31, multiply by P1; all modulo 2^64. */
function consume(lanes: Int32Array, bytes: Buffer, from: number, to: number): void {
  for (let at = from; at < to; at += 32) {
    for (let lane = 0; lane < 8; lane += 2) {
      const offset = at + lane * 4;
      const inputLow = word(bytes, offset);
      const inputHigh = word(bytes, offset + 4);
      const productLow = Math.imul(inputLow, P2_LOW);
      const productHigh =
        (highHalf(inputLow, P2_LOW) + Math.imul(inputLow, P2_HIGH) + Math.imul(inputHigh, P2_LOW)) | 0;
      const sumLow = (((lanes[lane] as number) >>> 0) + (productLow >>> 0)) | 0;
      const carry = sumLow >>> 0 < productLow >>> 0 ? 1 : 0;
      const sumHigh = ((lanes[lane + 1] as number) + productHigh + carry) | 0;
      const low = (sumLow << 31) | (sumHigh >>> 1);
      const high = (sumHigh << 31) | (sumLow >>> 1);
      lanes[lane] = Math.imul(low, P1_LOW);
      lanes[lane + 1] = highHalf(low, P1_LOW) + Math.imul(low, P1_HIGH) + Math.imul(high, P1_LOW);
    }
  }
}

function word(bytes: Buffer, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

/** The upper 32 bits of the product of two unsigned numbers of 32 bits, by halves of 16. */
function highHalf(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((Math.imul(aLow, bLow) >>> 16) as number);
  const cross = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + Math.floor(middle / 65536) + Math.floor(cross / 65536)) | 0;
}
