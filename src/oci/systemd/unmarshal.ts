import { failure } from '../state.ts';
import { alignment, split, type Variant } from './marshal.ts';

/**
 * Values from the wire, as `marshal` takes them. They come from the bus, so every length is checked.
 *
 * @throws {TsboxError} BAD_MESSAGE
 */
export function unmarshal(signature: string, bytes: Buffer): unknown[] {
  const reader = new Reader(bytes);
  return split(signature).map((type) => reader.value(type));
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  value(type: string, depth = 0): unknown {
    // The specification allows 64 of each kind of nesting.
    if (depth > 64) throw bad('nested too deep');
    this.#align(alignment(type));
    switch (type[0]) {
      case 'y':
        return this.#take(1)[0];
      case 'b':
        return this.#take(4).readUInt32LE() === 1;
      case 'n':
        return this.#take(2).readInt16LE();
      case 'q':
        return this.#take(2).readUInt16LE();
      case 'i':
        return this.#take(4).readInt32LE();
      case 'u':
      case 'h':
        return this.#take(4).readUInt32LE();
      case 'x':
        return this.#take(8).readBigInt64LE();
      case 't':
        return this.#take(8).readBigUInt64LE();
      case 'd':
        return this.#take(8).readDoubleLE();
      case 's':
      case 'o':
        return this.#text(this.#take(4).readUInt32LE());
      case 'g':
        return this.#text(this.#take(1)[0] ?? 0);
      case 'v': {
        const signature = this.#text(this.#take(1)[0] ?? 0);
        const types = split(signature);
        if (types.length !== 1) throw bad(`a variant of type ${JSON.stringify(signature)}`);
        return { signature, value: this.value(signature, depth + 1) } satisfies Variant;
      }
      case 'a':
        return this.#array(type.slice(1), depth);
      case '(':
      case '{':
        return split(type.slice(1, -1)).map((field) => this.value(field, depth + 1));
      default:
        throw bad(`a value of type ${JSON.stringify(type)}`);
    }
  }

  #array(element: string, depth: number): unknown[] {
    const length = this.#take(4).readUInt32LE();
    this.#align(alignment(element));
    const end = this.#at + length;
    if (end > this.#bytes.length) throw bad('an array that is longer than the message');
    const values: unknown[] = [];
    while (this.#at < end) values.push(this.value(element, depth + 1));
    return values;
  }

  #text(length: number): string {
    const bytes = this.#take(length + 1);
    return bytes.toString('utf8', 0, length);
  }

  #align(to: number): void {
    this.#at += (to - (this.#at % to)) % to;
  }

  #take(count: number): Buffer {
    const end = this.#at + count;
    if (end > this.#bytes.length) throw bad('it ends too early');
    const piece = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return piece;
  }
}

export function bad(what: string) {
  return failure('BAD_MESSAGE', `a message of the D-Bus cannot be read: ${what}`);
}
