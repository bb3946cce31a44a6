import { badArchive } from '../archive-error.ts';
import { ByteReader } from '../byte-reader.ts';

/** One frame of zstd data, whose bytes have to be read before the next frame is asked for. */
export interface ZstdFrame {
  /** The frame as it is written; without its checksum, if that is what was asked for. */
  bytes: AsyncIterable<Buffer>;
  /** The low half of the content's XXH64, once `bytes` has been read; undefined where the frame has none, or has it still. */
  checksum(): number | undefined;
}

/**
 * Splits zstd data into its frames (RFC 8878, section 3.1) without decompressing anything. A file may have several: `pzstd` writes many. Node's decompressor
 * ignores all that follows the first, and takes a file that is cut off between two blocks for a whole one; so does nobody here.
 *
 * @param takeChecksum for a decompressor that does not look at it
 * @throws {TsboxError} BAD_ARCHIVE for truncated data, what is no zstd frame, and windows over 128 MiB
 */
export async function* zstdFrames(
  chunks: AsyncIterable<Uint8Array>,
  takeChecksum: boolean,
): AsyncGenerator<ZstdFrame> {
  const reader = new ByteReader(chunks);
  for (;;) {
    const magic = Buffer.from(await reader.take(4));
    if (magic.length === 0) return;
    const number = magic.length === 4 ? magic.readUInt32LE(0) : 0;
    if (number === MAGIC) {
      yield await readFrame(reader, magic, takeChecksum);
    } else if (number >>> 4 === SKIPPABLE >>> 4) {
      await skip(reader, (await exactly(reader, 4)).readUInt32LE(0));
    } else {
      throw badArchive('something follows after the end of the zstd data');
    }
  }
}

const MAGIC = 0xfd2fb528;
const SKIPPABLE = 0x184d2a50;
/** What zstd itself takes without `--long=28` or more. A decompressor has to keep that much in memory. */
const LARGEST_WINDOW = 128 * 2 ** 20;

async function readFrame(reader: ByteReader, magic: Buffer, takeChecksum: boolean): Promise<ZstdFrame> {
  const descriptor = (await exactly(reader, 1))[0] as number;
  const single = (descriptor & 0x20) !== 0;
  const hasChecksum = (descriptor & 4) !== 0;
  const dictionary = [0, 1, 2, 4][descriptor & 3] as number;
  const sizeBytes = [single ? 1 : 0, 2, 4, 8][descriptor >>> 6] as number;
  const fields = Buffer.from(await exactly(reader, (single ? 0 : 1) + dictionary + sizeBytes));
  if (windowSize(fields, single, dictionary, sizeBytes) > LARGEST_WINDOW) {
    throw badArchive(
      'the zstd data needs a window of more than 128 MiB',
      'compress it without --ultra and --long',
    );
  }
  if (
    dictionary > 0 &&
    fields
      .subarray(single ? 0 : 1)
      .subarray(0, dictionary)
      .some((byte) => byte !== 0)
  ) {
    throw badArchive('the zstd data needs a dictionary');
  }
  // A decompressor must not look for the checksum that it is not given.
  const start = Buffer.concat([magic, Buffer.from([takeChecksum ? descriptor & ~4 : descriptor]), fields]);
  let checksum: number | undefined;
  return {
    checksum: () => checksum,
    bytes: (async function* () {
      yield start;
      yield* readBlocks(reader);
      if (!hasChecksum) return;
      const bytes = await exactly(reader, 4);
      if (takeChecksum) checksum = bytes.readUInt32LE(0);
      else yield bytes;
    })(),
  };
}

async function* readBlocks(reader: ByteReader): AsyncGenerator<Buffer> {
  for (let last = false; !last; ) {
    const header = Buffer.from(await exactly(reader, 3));
    const value = header.readUIntLE(0, 3);
    last = (value & 1) !== 0;
    const type = (value >>> 1) & 3;
    if (type === 3) throw badArchive('the zstd data is corrupt');
    yield header;
    // A block of one repeated byte has only that byte.
    for (let left = type === 1 ? 1 : value >>> 3; left > 0; ) {
      const bytes = await reader.some(left);
      if (bytes === undefined) throw truncated();
      left -= bytes.length;
      yield bytes;
    }
  }
}

function windowSize(fields: Buffer, single: boolean, dictionary: number, sizeBytes: number): number {
  if (!single) {
    const descriptor = fields[0] as number;
    return 2 ** (10 + (descriptor >>> 3)) * (1 + (descriptor & 7) / 8);
  }
  if (sizeBytes === 8) return Number(fields.readBigUInt64LE(dictionary));
  return fields.readUIntLE(dictionary, sizeBytes) + (sizeBytes === 2 ? 256 : 0);
}

async function skip(reader: ByteReader, count: number): Promise<void> {
  for (let left = count; left > 0; ) {
    const bytes = await reader.some(left);
    if (bytes === undefined) throw truncated();
    left -= bytes.length;
  }
}

async function exactly(reader: ByteReader, count: number): Promise<Buffer> {
  const bytes = await reader.take(count);
  if (bytes.length < count) throw truncated();
  return bytes;
}

function truncated(): Error {
  return badArchive('the zstd data is truncated: it ends in the middle');
}
