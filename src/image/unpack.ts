import { createHash, type Hash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { applyLayer } from './layer/index.ts';
import { ARCHIVE_LIMITS, type ArchiveLimits } from './limits.ts';
import { type Compression, decompress, detectCompression, meter, openSource, peek } from './source/index.ts';

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
  const limits = { ...ARCHIVE_LIMITS, ...options.limits };
  const { chunks, size: total } = await openSource(source);
  const directory = join(layer, 'diff');
  mkdirSync(directory, 0o755);
  const blob = openSync(join(blobs, 'layer'), 'wx', 0o600);
  try {
    let received = 0;
    const raw = counted(chunks, (count) => {
      received += count;
      options.onProgress?.(received, total);
    });
    const { start, all } = await peek(raw, 6);
    const compression = detectCompression(start);
    const [stored, content] = [new Tap(), new Tap()];
    const kept = compression === 'xz' ? all : stored.pass(all, blob);
    const plain = meter(decompress(kept, compression), () => received, limits);
    const tar = compression === 'xz' ? stored.pass(plain, blob) : content.pass(plain);
    const { bytes } = await applyLayer(tar, directory, limits);
    const digest = stored.digest();
    renameSync(join(blobs, 'layer'), join(blobs, digest.slice(7)));
    const diffId = compression === 'xz' ? digest : content.digest();
    return { compression, digest, size: stored.size, diffId, bytes };
  } finally {
    closeSync(blob);
  }
}

/** Hashes what passes, and writes it to a file if there is one. */
class Tap {
  size = 0;
  readonly #hash: Hash = createHash('sha256');

  async *pass(chunks: AsyncIterable<Buffer>, file?: number): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      this.size += chunk.length;
      this.#hash.update(chunk);
      if (file !== undefined) for (let at = 0; at < chunk.length; ) at += writeSync(file, chunk, at);
      yield chunk;
    }
  }

  digest(): string {
    return `sha256:${this.#hash.digest('hex')}`;
  }
}

async function* counted(
  chunks: AsyncIterable<Buffer>,
  count: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    count(chunk.length);
    yield Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk);
  }
}
