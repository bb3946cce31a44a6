import { constants, createGunzip } from 'node:zlib';
import { badArchive } from '../archive-error.ts';

/**
 * Decompresses gzip in this thread, into one buffer that is used again and again. Node's stream does it on libuv's threads, with a new buffer for
 * every piece; where each processor has a layer of its own, that is a third more work, and all of it garbage.
 *
 * Node offers this only for data that is in memory as a whole. The object behind its stream has it for pieces too (minizlib, and so npm, uses it);
 * where that should change its form, the answer is undefined, and the stream has to do.
 *
 * @returns pieces that are valid until the next one is asked for
 * @throws {TsboxError} BAD_ARCHIVE, as `decompress` does; what comes out is compared with a digest in any case
 */
export function gunzipHere(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> | undefined {
  const inflater = openInflater();
  return inflater && pieces(chunks, inflater);
}

async function* pieces(chunks: AsyncIterable<Buffer>, inflater: Inflater): AsyncGenerator<Buffer> {
  const output = Buffer.allocUnsafeSlow(CHUNK);
  let ended = false;
  try {
    for await (const chunk of chunks) {
      let rest = chunk;
      for (let full = !ended; full; ) {
        const left = inflater.write(constants.Z_NO_FLUSH, rest, output);
        rest = rest.subarray(rest.length - left.input);
        if (left.output < CHUNK) yield output.subarray(0, CHUNK - left.output);
        full = left.output === 0;
        // It wants neither more room nor what there is: that was the last member.
        if (!full && left.input > 0) ended = true;
      }
      if (ended && rest.some((byte) => byte !== 0))
        throw badArchive('something follows after the end of the gzip data');
    }
    for (let full = !ended; full; ) {
      const left = inflater.write(constants.Z_FINISH, EMPTY, output);
      if (left.output < CHUNK) yield output.subarray(0, CHUNK - left.output);
      full = left.output === 0;
    }
  } finally {
    inflater.close();
  }
}

interface Inflater {
  /** @returns how much of the input and of the room for output is left */
  write(flush: number, input: Buffer, output: Buffer): { input: number; output: number };
  close(): void;
}

/** What is behind Node's stream, as far as it is used here. */
interface Internals {
  _handle?: {
    writeSync?: (
      ...args: [
        flush: number,
        input: Buffer,
        at: number,
        length: number,
        output: Buffer,
        at: number,
        room: number,
      ]
    ) => void;
    onerror?: (message: string, errno: number, code: string) => void;
  };
  _writeState?: Uint32Array;
}

function openInflater(): Inflater | undefined {
  const stream = createGunzip();
  const { _handle: handle, _writeState: state } = stream as unknown as Internals;
  if (typeof handle?.writeSync !== 'function' || !(state instanceof Uint32Array) || state.length !== 2) {
    stream.destroy();
    return undefined;
  }
  let failure: string | undefined;
  handle.onerror = (_message, _errno, code) => {
    failure = code;
  };
  return {
    write(flush, input, output) {
      handle.writeSync?.(flush, input, 0, input.length, output, 0, output.length);
      if (failure !== undefined)
        throw badArchive(
          failure === 'Z_BUF_ERROR'
            ? 'the gzip data is truncated: it ends in the middle'
            : 'the gzip data is corrupt',
        );
      const [room = 0, left = 0] = state;
      return { input: left, output: room };
    },
    close: () => stream.destroy(),
  };
}

const EMPTY = Buffer.alloc(0);
const CHUNK = 256 * 1024;
