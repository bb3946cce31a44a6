import { Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { badArchive } from '../archive-error.ts';

/** Node's own decompressor, from 22.15 on. It checks checksums. */
const create = (zlib as { createZstdDecompress?: (options: { chunkSize: number }) => Transform })
  .createZstdDecompress;

/** Whether the checksum of a frame is left to the caller. */
export const checksNothing = create === undefined;

/** A stream that decompresses one zstd frame: Node's own, else fzstd, which is in JavaScript. */
export async function createUnzstd(chunkSize: number): Promise<Transform> {
  if (create !== undefined) return create({ chunkSize });
  const { Decompress } = await import('fzstd');
  const stream = new Transform({
    transform(chunk: Buffer, _, done) {
      attempt(done, () => decoder.push(chunk));
    },
    flush(done) {
      attempt(done, () => decoder.push(new Uint8Array(0), true));
    },
  });
  // fzstd goes on using its memory: what it hands out is valid only during the call.
  const decoder = new Decompress((bytes) => stream.push(Buffer.from(bytes)));
  return stream;
}

function attempt(done: (error?: Error) => void, decode: () => void): void {
  try {
    decode();
    done();
  } catch {
    done(badArchive('the zstd data is corrupt'));
  }
}
