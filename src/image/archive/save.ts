import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { Readable } from 'node:stream';
import { TsboxError } from '../../kernel/index.ts';
import { blobPath } from '../store/index.ts';
import { tarEnd, tarHeader, tarPadding } from '../tar/index.ts';
import { dockerFiles, ociFiles } from './describe.ts';
import { type Selected, selectImages } from './select.ts';

/** `docker-archive` is also an OCI image layout, as Docker writes it since version 25. */
export type ArchiveFormat = 'docker-archive' | 'oci-archive';

export interface SaveOptions {
  /** Default `docker-archive`. */
  format?: ArchiveFormat;
  /** Called with the bytes made so far, and their number in all. */
  onProgress?: (done: number, total: number) => void;
}

/**
 * Writes images into an archive: blobs as they are in the store, so that digests stay. The same images make the same bytes.
 *
 * @param references names, digests or ids; a name without a tag means all its tags, as for Docker. An id brings no name along
 * @returns the archive. The stream fails with STORE_CORRUPT where a blob is damaged
 * @throws {TsboxError} IMAGE_NOT_FOUND, AMBIGUOUS_ID, STORE_CORRUPT
 */
export function saveImages(references: readonly string[], options: SaveOptions = {}): Readable {
  const images = selectImages(references);
  const texts =
    options.format === 'oci-archive' ? ociFiles(images) : [...ociFiles(images), ...dockerFiles(images)];
  const blobs = blobsOf(images);
  const parts = [...texts.map(({ text }) => Buffer.byteLength(text)), ...blobs.map(({ size }) => size)];
  const total = parts.reduce((sum, size) => sum + 512 + Math.ceil(size / 512) * 512, 3 * 1024 - 1024);
  return Readable.from(progressing(members(texts, blobs), total, options.onProgress), {
    objectMode: false,
    highWaterMark: 1 << 20,
  });
}

interface Blob {
  digest: string;
  size: number;
}

async function* members(
  texts: readonly { name: string; text: string }[],
  blobs: readonly Blob[],
): AsyncGenerator<Buffer> {
  // The small files come first: who reads from a pipe then knows what everything behind them is for.
  for (const { name, text } of texts) {
    const bytes = Buffer.from(text);
    yield tarHeader({ name, size: bytes.length, type: 'File' });
    yield bytes;
    yield tarPadding(bytes.length);
  }
  for (const name of ['blobs/', 'blobs/sha256/']) yield tarHeader({ name, size: 0, type: 'Directory' });
  for (const blob of blobs) {
    yield tarHeader({ name: `blobs/sha256/${blob.digest.slice(7)}`, size: blob.size, type: 'File' });
    yield* content(blob);
    yield tarPadding(blob.size);
  }
  yield tarEnd();
}

/** A blob of the store, whose digest is checked on the way: an archive with a wrong one would be found out by its reader only. */
async function* content({ digest, size }: Blob): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  let length = 0;
  try {
    for await (const chunk of createReadStream(blobPath(digest), {
      highWaterMark: 1 << 18,
    }) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      length += chunk.length;
      if (length > size) break;
      yield chunk;
    }
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'ENOENT' ? damaged(digest, 'is not there', error) : error;
  }
  if (length !== size || `sha256:${hash.digest('hex')}` !== digest) throw damaged(digest, 'is damaged');
}

/** Every blob once: manifests, configurations, layers. */
function blobsOf(images: readonly Selected[]): Blob[] {
  const files = images.map(({ files }) => files);
  const found = new Map<string, Blob>();
  const all = [
    ...files.map(({ manifest }) => ({ digest: manifest.digest, size: manifest.bytes.length })),
    ...files.map(({ config }) => config),
    ...files.flatMap(({ layers }) => layers),
  ];
  for (const { digest, size } of all) {
    const status = statSync(blobPath(digest), { throwIfNoEntry: false });
    if (status?.size !== size) throw damaged(digest, status === undefined ? 'is not there' : 'is damaged');
    found.set(digest, { digest, size });
  }
  return [...found.values()];
}

function damaged(digest: string, how: string, cause?: unknown): TsboxError {
  return new TsboxError('STORE_CORRUPT', `blob ${digest} of the image store ${how}`, {
    advice: 'remove the image with tsbox rmi, and get it again',
    cause,
  });
}

async function* progressing(
  chunks: AsyncIterable<Buffer>,
  total: number,
  onProgress: SaveOptions['onProgress'],
): AsyncGenerator<Buffer> {
  let done = 0;
  for await (const chunk of chunks) {
    if (chunk.length === 0) continue;
    done += chunk.length;
    onProgress?.(done, total);
    yield chunk;
  }
}
