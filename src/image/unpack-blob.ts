import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { TsboxError } from '../kernel/index.ts';
import { plainName } from './archive-error.ts';
import { ARCHIVE_LIMITS, type ArchiveLimits } from './limits.ts';
import { decompress, detectCompression, meter, peek } from './source/index.ts';
import { makeTemporary, storePaths, type Temporary } from './store/index.ts';
import { TarReader } from './tar/index.ts';
import { carryOut, GrowingFile } from './unpack/index.ts';

/** A layer as it lies in a file: a tar, plain or compressed. */
export interface LayerBlob {
  path: string;
  /** What the manifest calls it. Without one, only the bytes tell. */
  mediaType?: string;
  /** `sha256:…` of the file; not checked where it is absent, as for a file that was hashed when it was written. */
  digest?: string;
  /** `sha256:…` of the uncompressed tar, from the image's configuration. */
  diffId: string;
}

export interface UnpackOptions {
  limits?: Partial<ArchiveLimits>;
  /** Called with the bytes of the file read so far. */
  onProgress?: (read: number) => void;
  signal?: AbortSignal;
}

/**
 * Unpacks a layer whose blob is on this disk already, into an unfinished directory of the store (`diff` in it), and checks that it is
 * the one that is expected. The caller publishes the directory, or releases it.
 *
 * How it is compressed is seen from its first bytes, as Docker and containers/image do: media types of old images are often wrong there.
 *
 * @returns the directory, and the bytes of the files in it
 * @throws {TsboxError} BAD_BLOB (digest or diff ID differ), UNSUPPORTED_LAYER, BAD_ARCHIVE, UNSAFE_ARCHIVE. Nothing is left then.
 */
export async function unpackBlob(
  blob: LayerBlob,
  options: UnpackOptions = {},
): Promise<{ layer: Temporary; bytes: number }> {
  checkLayerMediaType(blob.mediaType);
  const layer = makeTemporary(storePaths().layers);
  const file = new GrowingFile(blob.path);
  const stop = () => file.fail(options.signal?.reason);
  try {
    const directory = join(layer.path, 'diff');
    mkdirSync(directory, 0o755);
    options.signal?.throwIfAborted();
    options.signal?.addEventListener('abort', stop);
    file.grow(statSync(blob.path).size, true);
    const limits = { ...ARCHIVE_LIMITS, ...options.limits };
    const job = { blob: blob.path, directory, limits, hashBlob: blob.digest !== undefined };
    const { bytes, digest, diffId } = await carryOut(job, file, options.onProgress);
    if (blob.digest !== undefined) compare('digest', blob.digest, digest);
    compare('diff ID', blob.diffId, diffId);
    return { layer, bytes };
  } catch (error) {
    layer.release();
    throw error;
  } finally {
    options.signal?.removeEventListener('abort', stop);
  }
}

/**
 * The same checks without unpacking, for a layer that is unpacked already: an image must not be able to claim another one's layer with a
 * blob that holds something else.
 *
 * @returns the bytes of the files in it
 */
export async function verifyBlob(blob: LayerBlob, options: UnpackOptions = {}): Promise<{ bytes: number }> {
  checkLayerMediaType(blob.mediaType);
  const limits = { ...ARCHIVE_LIMITS, ...options.limits };
  return await checked(blob, limits, options, async (tar) => {
    const reader = new TarReader(tar, limits);
    let bytes = 0;
    for (let entry = await reader.next(); entry !== undefined; entry = await reader.next())
      bytes += entry.size;
    return { bytes };
  });
}

/**
 * Whether tsbox can unpack what a manifest calls so (OCI image-spec, layer.md; Docker's image manifest v2 schema 2).
 *
 * @throws {TsboxError} UNSUPPORTED_LAYER
 */
export function checkLayerMediaType(mediaType: string | undefined): void {
  if (mediaType === undefined || LAYER.test(mediaType)) return;
  const foreign = /nondistributable|foreign/.test(mediaType);
  throw new TsboxError(
    'UNSUPPORTED_LAYER',
    `the image has a layer of the type \`${plainName(mediaType)}\`, which is ${foreign ? 'not distributed with it' : 'unknown'}`,
    {
      advice: foreign
        ? 'such layers belong to Windows images, which do not run here'
        : 'it may be no container image (a chart, a signature, an encrypted layer)',
    },
  );
}

const LAYER =
  /^application\/vnd\.(?:oci\.image\.layer\.v1\.tar(?:\+gzip|\+zstd)?|docker\.image\.rootfs\.diff\.tar(?:\.gzip|\.zstd)?)$/;

async function checked<Result>(
  blob: LayerBlob,
  limits: ArchiveLimits,
  options: UnpackOptions,
  use: (tar: AsyncIterable<Buffer>) => Promise<Result>,
): Promise<Result> {
  const compressed = createHash('sha256');
  const content = createHash('sha256');
  let received = 0;
  const file = createReadStream(blob.path, { highWaterMark: 256 * 1024 });
  const chunks = (async function* () {
    for await (const chunk of file as AsyncIterable<Buffer>) {
      options.signal?.throwIfAborted();
      received += chunk.length;
      if (blob.digest !== undefined) compressed.update(chunk);
      options.onProgress?.(received);
      yield chunk;
    }
  })();
  try {
    const { start, all } = await peek(chunks, 6);
    const plain = meter(decompress(all, detectCompression(start)), () => received, limits);
    const tar = (async function* () {
      for await (const chunk of plain) {
        content.update(chunk);
        yield chunk;
      }
    })();
    const result = await use(tar);
    // The tar reader has read to the very end, so both hashes are of everything.
    if (blob.digest !== undefined) compare('digest', blob.digest, `sha256:${compressed.digest('hex')}`);
    compare('diff ID', blob.diffId, `sha256:${content.digest('hex')}`);
    return result;
  } finally {
    file.destroy();
  }
}

function compare(what: string, expected: string, found: string | undefined): void {
  if (expected === found) return;
  throw new TsboxError(
    'BAD_BLOB',
    `a layer of the image has the ${what} ${found}, where ${expected} is expected`,
    {
      advice: 'the image is damaged or was tampered with: get it again',
    },
  );
}
