/**
 * Takes bytes from a stream in the portions that a format has, rather than in those that arrive. It never copies what lies in
 * one piece, and holds no more than one piece.
 */
export class ByteReader {
  /** Bytes given out so far: for messages. */
  position = 0;
  #source: AsyncIterator<Uint8Array>;
  #piece: Buffer = Buffer.alloc(0);
  #at = 0;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
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
