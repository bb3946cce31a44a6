/**
 * Values as D-Bus has them on the wire (D-Bus specification, "Marshaling"), least significant byte first: the types that systemd's interface needs.
 * An array is a list, a struct a tuple, a variant `{ signature, value }`, bytes (`ay`) a Buffer, a number of 64 bits a bigint.
 */
export interface Variant {
  signature: string;
  value: unknown;
}

export function marshal(signature: string, values: readonly unknown[]): Buffer {
  const writer = new Writer();
  for (const [index, type] of split(signature).entries()) writer.value(type, values[index]);
  return writer.bytes();
}

/** The single complete types of a signature: `sa(sv)u` is `s`, `a(sv)` and `u`. */
export function split(signature: string): string[] {
  const types: string[] = [];
  for (let at = 0; at < signature.length; ) {
    const start = at;
    while (signature[at] === 'a') at++;
    if (signature[at] === '(' || signature[at] === '{') {
      let depth = 0;
      do {
        if ('({'.includes(signature[at] ?? '')) depth++;
        if (')}'.includes(signature[at] ?? '')) depth--;
        at++;
      } while (depth > 0 && at < signature.length);
    } else at++;
    types.push(signature.slice(start, at));
  }
  return types;
}

/** On which multiple of bytes a value begins. */
export function alignment(type: string): number {
  return { y: 1, g: 1, v: 1, n: 2, q: 2, x: 8, t: 8, d: 8, '(': 8, '{': 8 }[type[0] ?? ''] ?? 4;
}

class Writer {
  readonly #pieces: Buffer[] = [];
  #length = 0;

  bytes(): Buffer {
    return Buffer.concat(this.#pieces);
  }

  value(type: string, value: unknown): void {
    this.#align(alignment(type));
    const kind = type[0];
    if (kind === 'y') this.#push(Buffer.from([value as number]));
    else if (kind === 'b') this.#word(value ? 1 : 0);
    else if (kind === 'u') this.#word(value as number);
    else if (kind === 't') {
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64LE(value as bigint);
      this.#push(bytes);
    } else if (kind === 's' || kind === 'o') {
      const text = Buffer.from(`${value as string}\0`);
      this.#word(text.length - 1);
      this.#push(text);
    } else if (kind === 'g') this.#signature(value as string);
    else if (kind === 'v') {
      const variant = value as Variant;
      this.#signature(variant.signature);
      this.value(variant.signature, variant.value);
    } else if (kind === 'a') this.#array(type.slice(1), value as Iterable<unknown>);
    else if (kind === '(') {
      const fields = split(type.slice(1, -1));
      for (const [index, field] of fields.entries()) this.value(field, (value as unknown[])[index]);
    } else throw new TypeError(`no D-Bus type of ours: ${type}`);
  }

  /** Its length does not count the padding in front of its first element. */
  #array(element: string, values: Iterable<unknown>): void {
    const length = Buffer.alloc(4);
    this.#push(length);
    this.#align(alignment(element));
    const start = this.#length;
    for (const value of values) this.value(element, value);
    length.writeUInt32LE(this.#length - start);
  }

  #signature(text: string): void {
    this.#push(Buffer.from([text.length]));
    this.#push(Buffer.from(`${text}\0`));
  }

  #word(value: number): void {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    this.#push(bytes);
  }

  #align(to: number): void {
    const missing = (to - (this.#length % to)) % to;
    if (missing > 0) this.#push(Buffer.alloc(missing));
  }

  #push(bytes: Buffer): void {
    this.#pieces.push(bytes);
    this.#length += bytes.length;
  }
}
