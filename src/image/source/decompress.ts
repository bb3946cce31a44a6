import { pipeline, Readable, type Transform } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { TsboxError } from '../../kernel/index.ts';
import { badArchive } from '../archive-error.ts';
import { gunzipHere } from './gunzip-here.ts';

/** How an archive is compressed. */
export type Compression = 'none' | 'gzip' | 'zstd' | 'xz';

/** What the first six bytes of a file say. */
export function detectCompression(start: Uint8Array): Compression {
  for (const [compression, magic] of MAGICS) {
    if (magic.every((byte, index) => start[index] === byte)) return compression;
  }
  return 'none';
}

/**
 * The bytes, decompressed.
 *
 * @param here in this thread, where the other processors have work of their own; else gzip and zstd are for libuv's threads
 * @throws {TsboxError} BAD_ARCHIVE for what is truncated or corrupt, or has something behind it (zeros apart, which tapes leave)
 */
export function decompress(
  chunks: AsyncIterable<Buffer>,
  compression: Compression,
  here = false,
): AsyncIterable<Buffer> {
  if (compression === 'gzip') return (here && gunzipHere(chunks)) || gunzip(chunks);
  if (compression === 'zstd') return unzstd(chunks);
  if (compression === 'xz') return unxz(chunks);
  return chunks;
}

const MAGICS: readonly [Compression, number[]][] = [
  ['gzip', [0x1f, 0x8b, 8]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  // A skippable frame, which pzstd puts first.
  ['zstd', [0x50, 0x2a, 0x4d, 0x18]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]],
];

/** Node's default of 16 KiB makes eight times the round trips to the thread pool, and fewer files lie in one piece; more leaves more garbage than it saves time. */
const CHUNK = 128 * 1024;

async function* gunzip(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const stream = createGunzip({ chunkSize: CHUNK });
  const source = chunks[Symbol.asyncIterator]();
  let length = 0;
  let lastByte = 0;
  // Node stops at the first zero after a member, and never says that there was more: so we note where the last byte is that is not zero.
  const next = async () => {
    const result = await source.next();
    if (result.done) return result;
    const end = result.value.findLastIndex((byte) => byte !== 0) + 1;
    if (end > 0) lastByte = length + end;
    length += result.value.length;
    return result;
  };
  try {
    // Without a `return`, so that the end of the stream does not close the source: what it has left is to be looked at.
    yield* through({ [Symbol.asyncIterator]: () => ({ next }) }, stream, 'gzip');
    while (!(await next()).done);
  } finally {
    await source.return?.();
  }
  if (lastByte > stream.bytesWritten) throw badArchive('something follows after the end of the gzip data');
}

async function* unzstd(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const [{ zstdFrames }, { Xxh64 }, { checksNothing, createUnzstd }] = await Promise.all([
    import('./zstd-frames.ts'),
    import('./xxh64.ts'),
    import('./zstd.ts'),
  ]);
  for await (const frame of zstdFrames(chunks, checksNothing)) {
    const hash = new Xxh64();
    for await (const chunk of through(frame.bytes, await createUnzstd(CHUNK), 'zstd')) {
      if (checksNothing) hash.update(chunk);
      yield chunk;
    }
    const checksum = frame.checksum();
    if (checksum !== undefined && checksum !== hash.digest())
      throw badArchive('the zstd data is corrupt: its checksum is wrong');
  }
}

/** In WebAssembly: Node has no xz of its own. */
async function* unxz(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  // A CommonJS module, whose names Node cannot see from outside, but a bundler can.
  const module = await import('xz-decompress');
  const { XzReadableStream } =
    'XzReadableStream' in module ? module : (module as { default: typeof module }).default;
  const web = Readable.toWeb(Readable.from(chunks)) as ReadableStream<Uint8Array>;
  try {
    for await (const chunk of new XzReadableStream(web))
      yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
  } catch (error) {
    throw translate(error, 'xz');
  }
}

async function* through(
  chunks: AsyncIterable<Buffer>,
  stream: Transform,
  name: string,
): AsyncGenerator<Buffer> {
  // The error comes out of the loop as well.
  pipeline(Readable.from(chunks), stream, () => {});
  try {
    yield* stream;
  } catch (error) {
    throw translate(error, name);
  }
}

function translate(error: unknown, name: string): unknown {
  if (error instanceof TsboxError) return error;
  const { code = '', message = '' } = error as NodeJS.ErrnoException;
  // Codes of xz-embedded's enum xz_ret: 8 is XZ_BUF_ERROR, 6 XZ_OPTIONS_ERROR, 4 XZ_MEMLIMIT_ERROR.
  const xz = /get_next_output failed with error code (\d+)/.exec(message)?.[1];
  if (code === 'Z_BUF_ERROR' || xz === '8')
    return badArchive(
      xz === undefined
        ? `the ${name} data is truncated: it ends in the middle`
        : 'the xz data is truncated, or something follows after its end',
    );
  if (xz === '6' || xz === '4')
    return badArchive(
      'the xz data uses an option that is not supported',
      'compress it with `xz --check=crc64`',
    );
  if (code.startsWith('Z_') || code.startsWith('ZSTD_') || code === 'ERR_ZSTD' || xz !== undefined) {
    return badArchive(`the ${name} data is corrupt`);
  }
  return error;
}
