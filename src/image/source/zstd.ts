import { Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { badArchive } from '../archive-error.ts';

/** A stream that decompresses one zstd frame: Node's own from 22.15 on, else fzstd, which is in JavaScript and checks no checksum. */
export async function createUnzstd(chunkSize: number): Promise<Transform> {
  const create = (zlib as { createZstdDecompress?: (options: { chunkSize: number }) => Transform })
    .createZstdDecompress;
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
