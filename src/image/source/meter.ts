import { badArchive } from '../archive-error.ts';
import type { ArchiveLimits } from '../limits.ts';

/**
 * Passes decompressed bytes on and stops a bomb: more content than an image can have, or far more than its source.
 *
 * @param received how many bytes of the source have been read so far
 */
export async function* meter(
  chunks: AsyncIterable<Buffer>,
  received: () => number,
  limits: ArchiveLimits,
): AsyncGenerator<Buffer> {
  let total = 0;
  for await (const chunk of chunks) {
    total += chunk.length;
    checkAmount(total, received(), limits);
    yield chunk;
  }
}

/**
 * @param total bytes of content so far
 * @param received bytes of the source so far
 * @throws {TsboxError} BAD_ARCHIVE
 */
export function checkAmount(total: number, received: number, limits: ArchiveLimits): void {
  if (total > limits.contentBytes) {
    throw badArchive(`it unpacks to more than ${Math.round(limits.contentBytes / 2 ** 30)} GiB`);
  }
  if (total > limits.ratioFrom && total > received * limits.ratio) {
    throw badArchive(
      `it unpacks to more than ${limits.ratio} times its size: it looks like a decompression bomb`,
      BOMB,
    );
  }
}

const BOMB = 'if it is not, decompress it first and import the plain tar';
