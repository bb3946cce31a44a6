/**
 * Takes bytes from a stream in the portions that a format has, rather than in those that arrive. It never copies what lies in
 * one piece, and holds no more than one piece.
 */
export class ByteReader {
  /** Bytes given out so far: for messages. */
  position = 0;
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #beforeNext: () => void;
  #piece: Buffer = Buffer.alloc(0);
  #at = 0;

  /** @param beforeNext is called before each piece that is asked for: a source may put it where the last one was */
  constructor(source: AsyncIterable<Uint8Array>, beforeNext: () => void = () => {}) {
    this.#source = source[Symbol.asyncIterator]();
    this.#beforeNext = beforeNext;
  }

  /** Exactly `count` bytes if they are at hand in one piece: valid until the next piece is asked for. */
  atHand(count: number): Buffer | undefined {
    if (this.#piece.length - this.#at < count) return undefined;
    this.#at += count;
    this.position += count;
    return this.#piece.subarray(this.#at - count, this.#at);
  }

  /** Exactly `count` bytes, or fewer where the stream ends. Valid until the next call. */
  async take(count: number): Promise<Buffer> {
    const first = await this.some(count);
    if (first === undefined || first.length === count) return first ?? Buffer.alloc(0);
    // Copies: a source may put its next piece where the last one was.
    const parts = [Buffer.from(first)];
    let length = first.length;
    while (length < count) {
      const next = await this.some(count - length);
      if (next === undefined) break;
      parts.push(Buffer.from(next));
      length += next.length;
    }
    return Buffer.concat(parts, length);
  }

  /** What is at hand, at least one byte and at most `count`; undefined where the stream has ended. */
  async some(count: number): Promise<Buffer | undefined> {
    while (this.#at === this.#piece.length) {
      this.#beforeNext();
      const { done, value } = await this.#source.next();
      if (done) return undefined;
      this.#piece = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
      this.#at = 0;
    }
    const end = Math.min(this.#at + count, this.#piece.length);
    const bytes = this.#piece.subarray(this.#at, end);
    this.position += bytes.length;
    this.#at = end;
    return bytes;
  }
}
