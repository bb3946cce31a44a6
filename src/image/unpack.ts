import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { ARCHIVE_LIMITS, type ArchiveLimits } from './limits.ts';
import { type Compression, openSource } from './source/index.ts';
import { Unpackers, type Unpacking } from './unpack/index.ts';

/** What came out of an archive. */
export interface Unpacked {
  compression: Compression;
  /** Digest and size of the blob. */
  digest: string;
  size: number;
  /** Digest of the uncompressed tar. */
  diffId: string;
  /** Bytes of the files. */
  bytes: number;
}

/**
 * Reads the archive once: into a blob, into two hashes and into files. What comes in gzip or zstd is kept as it came, which costs no
 * time and gives away the same bytes again; xz is no media type of a layer, so that is kept as a plain tar.
 *
 * @param blobs a directory for the blob, which is called by the hex of its digest
 * @param layer a directory in which `diff` is made
 */
export async function unpack(
  source: string | Readable,
  blobs: string,
  layer: string,
  options: {
    limits?: Partial<ArchiveLimits>;
    onProgress?: (received: number, total: number | undefined) => void;
  },
): Promise<Unpacked> {
  const { chunks, size: total } = await openSource(source);
  const directory = join(layer, 'diff');
  mkdirSync(directory, 0o755);
  const [blob, plain] = [join(blobs, 'layer'), join(blobs, 'plain')];
  const file = openSync(blob, 'wx', 0o600);
  const unpackers = new Unpackers(1);
  const limits = { ...ARCHIVE_LIMITS, ...options.limits };
  const unpacking = unpackers.start({ blob, directory, limits, plain });
  try {
    const stored = await store(chunks, file, unpacking, (received) => options.onProgress?.(received, total));
    const { compression, diffId, tarBytes, bytes } = await unpacking.layer;
    const [digest, size] = compression === 'xz' ? [diffId, tarBytes] : [stored.digest, stored.size];
    renameSync(compression === 'xz' ? plain : blob, join(blobs, digest.slice(7)));
    rmSync(blob, { force: true });
    return { compression, digest, size, diffId, bytes };
  } catch (error) {
    unpacking.fail(error);
    // It may be in the middle of a file: nothing is removed under its hands.
    await unpacking.layer.catch(() => {});
    throw error;
  } finally {
    closeSync(file);
    await unpackers.close();
  }
}

/** Writes what comes to the file, and stops at once where it turns out that it cannot be unpacked. */
async function store(
  chunks: AsyncIterable<Uint8Array>,
  file: number,
  unpacking: Unpacking,
  onReceived: (received: number) => void,
): Promise<{ digest: string; size: number }> {
  const hash = createHash('sha256');
  const source = chunks[Symbol.asyncIterator]();
  const next = orFailure(source, unpacking);
  let size = 0;
  try {
    for (;;) {
      const { done, value: chunk } = await next();
      if (done) break;
      hash.update(chunk);
      for (let at = 0; at < chunk.length; ) at += writeSync(file, chunk, at);
      size += chunk.length;
      unpacking.grow(size);
      onReceived(size);
    }
  } finally {
    // Not waited for: a source that gives nothing does not end either.
    void source.return?.(undefined)?.catch(() => {});
  }
  unpacking.grow(size, true);
  return { digest: `sha256:${hash.digest('hex')}`, size };
}

/**
 * The next piece, or the failure of the unpacking, whichever comes first. Not by Promise.race: a promise that is raced again and again keeps
 * the results of all its races, which would be the whole archive.
 */
function orFailure(
  source: AsyncIterator<Uint8Array>,
  unpacking: Unpacking,
): () => Promise<IteratorResult<Uint8Array>> {
  let failure: { error: unknown } | undefined;
  let interrupt: ((error: unknown) => void) | undefined;
  unpacking.layer.catch((error) => {
    failure = { error };
    interrupt?.(error);
  });
  return async () => {
    if (failure !== undefined) throw failure.error;
    return await new Promise((resolve, reject) => {
      interrupt = reject;
      source.next().then(resolve, reject);
    });
  };
}
