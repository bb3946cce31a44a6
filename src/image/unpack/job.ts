import { createHash, type Hash } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { applyLayer, noteImplied } from '../layer/index.ts';
import type { ArchiveLimits } from '../limits.ts';
import { type Compression, checkAmount, decompress, detectCompression, peek } from '../source/index.ts';
import type { GrowingFile } from './growing-file.ts';

/** What is to be unpacked, in words that can be sent to another thread. */
export interface UnpackJob {
  /** The file of the blob: a tar, plain or compressed. */
  blob: string;
  /** An empty directory for what is in it: a layer's `diff`, as a note is made beside it. */
  directory: string;
  limits: ArchiveLimits;
  /** Whether the blob's digest is wanted: nobody has checked the file. */
  hashBlob?: boolean;
  /** Whether other layers keep the other processors busy: then all of it is done in one thread. */
  crowded?: boolean;
  /** Where the plain tar is written if the blob is xz, which is no media type of a layer. */
  plain?: string;
}

/** What was in it. */
export interface UnpackedLayer {
  compression: Compression;
  /** Digest of the uncompressed tar. */
  diffId: string;
  /** Bytes of the uncompressed tar. */
  tarBytes: number;
  /** Bytes of the files. */
  bytes: number;
  /** Digest of the blob, if that was asked for. */
  digest?: string;
}

/**
 * Carries out a job in this thread: the file is read once, decompressed on libuv's threads, hashed and made into files.
 *
 * @param onRead is told how many bytes of the blob have been read
 * @throws {TsboxError} BAD_ARCHIVE, UNSAFE_ARCHIVE; {KernelError}. The directory is then half full: the caller removes it.
 */
export async function carryOut(
  job: UnpackJob,
  file: GrowingFile,
  onRead: (read: number) => void = () => {},
): Promise<UnpackedLayer> {
  let received = 0;
  let tarBytes = 0;
  const stored = job.hashBlob ? createHash('sha256') : undefined;
  const content = createHash('sha256');
  const chunks = file.chunks((read) => {
    received = read;
    onRead(read);
  });
  const { start, all } = await peek(stored ? hashed(chunks, stored) : chunks, 6);
  const compression = detectCompression(start);
  // The tar reader asks for the next piece only when it has done with the last one; decompressors may look ahead.
  if (compression === 'none') file.reusePieces();
  const plain = decompress(all, compression, job.crowded)[Symbol.asyncIterator]();
  const next = async () => {
    const result = await plain.next();
    if (result.done) return result;
    content.update(result.value);
    tarBytes += result.value.length;
    checkAmount(tarBytes, received, job.limits);
    return result;
  };
  const tar = { [Symbol.asyncIterator]: () => ({ next }) };
  const keepsPlain = compression === 'xz' && job.plain !== undefined;
  let bytes: number;
  try {
    const source = keepsPlain ? written(tar, job.plain as string) : tar;
    const applied = await applyLayer(source, job.directory, job.limits);
    bytes = applied.bytes;
    noteImplied(job.directory, applied.implied);
  } finally {
    // After an error nobody reads on. What waits for more of the file must hear that first, or it would never return.
    file.fail(new Error('nobody reads on'));
    await plain.return?.();
  }
  // The tar reader has read to the very end, so both hashes are of everything.
  const diffId = `sha256:${content.digest('hex')}`;
  const digest = stored && `sha256:${stored.digest('hex')}`;
  return { compression, diffId, tarBytes, bytes, ...(digest && { digest }) };
}

async function* hashed(chunks: AsyncIterable<Buffer>, hash: Hash): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
}

async function* written(chunks: AsyncIterable<Buffer>, path: string): AsyncGenerator<Buffer> {
  const file = openSync(path, 'wx', 0o600);
  try {
    for await (const chunk of chunks) {
      for (let at = 0; at < chunk.length; ) at += writeSync(file, chunk, at);
      yield chunk;
    }
  } finally {
    closeSync(file);
  }
}
