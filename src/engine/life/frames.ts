/**
 * What goes over the `attach` socket: one byte of kind, four of length with the highest first, and that many bytes (native/monitor-attach.h).
 * To the monitor: `i` input, `c` end of input, `w` size of the terminal. From it: `o` standard output, `e` standard error.
 */
export function frame(kind: 'i' | 'c' | 'w', payload: Uint8Array = new Uint8Array(0)): Buffer {
  const bytes = Buffer.alloc(HEADER + payload.length);
  bytes.write(kind, 0, 'latin1');
  bytes.writeUInt32BE(payload.length, 1);
  bytes.set(payload, HEADER);
  return bytes;
}

/** Takes frames apart, however the stream was cut: `take` is told of each piece of content as it comes. */
export class FrameReader {
  readonly #take: (kind: string, piece: Buffer) => void;
  readonly #header = Buffer.alloc(HEADER);
  #have = 0;
  #left = 0;

  constructor(take: (kind: string, piece: Buffer) => void) {
    this.#take = take;
  }

  push(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.#left > 0) {
        const piece = bytes.subarray(at, at + this.#left);
        this.#take(String.fromCharCode(this.#header[0] ?? 0), piece);
        this.#left -= piece.length;
        at += piece.length;
        continue;
      }
      const copied = bytes.copy(this.#header, this.#have, at, at + HEADER - this.#have);
      this.#have += copied;
      at += copied;
      if (this.#have < HEADER) return;
      this.#have = 0;
      this.#left = this.#header.readUInt32BE(1);
    }
  }
}

const HEADER = 5;
