import { connect } from 'node:http2';
import { connect as connectSocket } from 'node:net';

/**
 * What a kubelet says to containerd: the Container Runtime Interface (runtime.v1), a call of gRPC over a Unix socket. Messages are protobuf, written by hand:
 * a field is its number and a string, a number, a message (an object), or a list of those.
 */
export type Fields = { [number: number]: string | number | Fields | (string | Fields)[] };

export async function callCri(socket: string, method: string, request: Fields): Promise<Answer> {
  const session = connect('http://localhost', { createConnection: () => connectSocket(socket) });
  try {
    const body = encode(request);
    const frame = Buffer.alloc(5);
    frame.writeUInt32BE(body.length, 1);
    const stream = session.request({
      ':method': 'POST',
      ':path': `/runtime.v1.RuntimeService/${method}`,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    let trailers: Record<string, unknown> = {};
    // An error without a message comes as headers alone.
    stream.on('response', (headers) => Object.assign(trailers, headers));
    stream.on('trailers', (headers) => {
      trailers = { ...trailers, ...headers };
    });
    stream.end(Buffer.concat([frame, body]));
    const pieces: Buffer[] = [];
    for await (const piece of stream) pieces.push(piece as Buffer);
    const status = trailers['grpc-status'];
    if (status !== undefined && String(status) !== '0')
      throw new Error(`${method}: ${status} ${decodeURIComponent(String(trailers['grpc-message'] ?? ''))}`);
    return new Answer(Buffer.concat(pieces).subarray(5));
  } finally {
    session.close();
  }
}

/** Fields by their numbers: the last of each. */
export class Answer {
  readonly #fields = new Map<number, Buffer | number>();

  constructor(bytes: Buffer) {
    let at = 0;
    const varint = () => {
      let value = 0n;
      for (let shift = 0n; ; shift += 7n) {
        const byte = bytes[at++] as number;
        value |= BigInt(byte & 0x7f) << shift;
        if (byte < 0x80) return Number(value);
      }
    };
    while (at < bytes.length) {
      const key = varint();
      if ((key & 7) === 0) this.#fields.set(key >> 3, varint());
      else if ((key & 7) === 2) {
        const length = varint();
        this.#fields.set(key >> 3, bytes.subarray(at, at + length));
        at += length;
      } else throw new Error(`a field of kind ${key & 7}`);
    }
  }

  text(number: number): string {
    return String(this.#fields.get(number) ?? '');
  }

  number(number: number): number {
    return Number(this.#fields.get(number) ?? 0);
  }

  part(number: number): Answer {
    return new Answer((this.#fields.get(number) as Buffer | undefined) ?? Buffer.alloc(0));
  }
}

function encode(fields: Fields): Buffer {
  const pieces: Buffer[] = [];
  for (const [key, value] of Object.entries(fields)) {
    const number = Number(key);
    for (const one of Array.isArray(value) ? value : [value]) {
      if (typeof one === 'number') pieces.push(varint(number << 3), varint(one));
      else {
        const bytes = typeof one === 'string' ? Buffer.from(one) : encode(one);
        pieces.push(varint((number << 3) | 2), varint(bytes.length), bytes);
      }
    }
  }
  return Buffer.concat(pieces);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) | 0x80);
  }
}
