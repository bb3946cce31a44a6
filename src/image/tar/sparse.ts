import { badArchive } from '../archive-error.ts';
import type { ByteReader } from '../byte-reader.ts';
import type { ArchiveLimits } from '../limits.ts';
import { readNumber } from './header.ts';
import { type PaxRecord, paxNumber, paxText } from './pax.ts';

/** The pieces of a sparse file that the archive holds, in order; the rest of the file is holes. GNU tar manual, "Sparse Formats". */
export interface SparseMap {
  /** Offset and length of each piece, one after the other. */
  extents: number[];
  /** Size of the file, holes included. */
  size: number;
  /** How many bytes of the entry's content were the map itself. */
  mapBytes: number;
}

/** GNU's own format (type `S`): four pieces in the header, 21 in each block that follows while a flag says so. */
export async function readGnuSparse(
  block: Buffer,
  reader: ByteReader,
  limits: ArchiveLimits,
): Promise<SparseMap> {
  const size = readNumber(block, 483, 12);
  const extents: number[] = [];
  addExtents(extents, block, 386, 4);
  let more = block[482] !== 0;
  while (more) {
    const extension = await reader.take(512);
    if (extension.length < 512) throw badArchive('the tar ends in the middle of a sparse map');
    addExtents(extents, extension, 0, 21);
    more = extension[504] !== 0;
    checkCount(extents.length / 2, limits);
  }
  return { extents, size, mapBytes: 0 };
}

/** Whether the records describe a sparse file, of any of the three versions in PAX. */
export function isPaxSparse(records: readonly PaxRecord[]): boolean {
  return records.some(({ keyword }) => /^GNU\.sparse\.(major|map|size|numblocks|offset)$/.test(keyword));
}

/**
 * PAX, versions 0.0 (a record a number), 0.1 (one record with all) and 1.0 (decimal lines before the content, in whole blocks).
 *
 * @param stored bytes of content that the entry has in the archive
 */
export async function readPaxSparse(
  records: readonly PaxRecord[],
  stored: number,
  reader: ByteReader,
  limits: ArchiveLimits,
): Promise<SparseMap> {
  const size = paxNumber(records, 'GNU.sparse.realsize') ?? paxNumber(records, 'GNU.sparse.size') ?? -1;
  const major = paxNumber(records, 'GNU.sparse.major') ?? 0;
  if (major > 1) throw badArchive(`the tar holds a sparse file of format ${major}, which is not known`);
  if (major === 1) return { ...(await readLeadingMap(stored, reader, limits)), size };
  const map = paxText(records, 'GNU.sparse.map');
  const numbers =
    map === undefined
      ? records
          .filter(({ keyword }) => keyword === 'GNU.sparse.offset' || keyword === 'GNU.sparse.numbytes')
          .map(({ value }) => value.toString('latin1'))
      : map.split(',');
  checkCount(numbers.length / 2, limits);
  return { extents: numbers.map(decimal), size, mapBytes: 0 };
}

/** The pieces must be in order, must not overlap, must lie in the file and must be together what the archive holds. */
export function checkSparse(map: SparseMap, stored: number, limits: ArchiveLimits): void {
  let end = 0;
  let total = 0;
  const { extents, size } = map;
  for (let index = 0; index < extents.length; index += 2) {
    const offset = extents[index] as number;
    const length = extents[index + 1] ?? -1;
    if (!(offset >= end && length >= 0)) throw badArchive('a sparse map of the tar is out of order');
    end = offset + length;
    total += length;
  }
  if (!Number.isSafeInteger(size) || end > size)
    throw badArchive('a sparse map of the tar is larger than its file');
  if (total !== stored - map.mapBytes) throw badArchive('a sparse map of the tar does not fit its content');
  if (size > limits.fileBytes)
    throw badArchive(`the tar holds a sparse file of ${size} bytes, over the limit`);
}

function addExtents(extents: number[], block: Buffer, offset: number, count: number): void {
  for (let at = offset; at < offset + count * 24; at += 24) {
    if (block[at + 12] === 0) return;
    extents.push(readNumber(block, at, 12), readNumber(block, at + 12, 12));
  }
}

async function readLeadingMap(stored: number, reader: ByteReader, limits: ArchiveLimits) {
  const extents: number[] = [];
  let wanted = 1;
  let mapBytes = 0;
  let rest = '';
  for (let count = -1; count < 0 || extents.length < wanted; ) {
    if (mapBytes + 512 > Math.ceil(stored / 512) * 512)
      throw badArchive('a sparse map of the tar has no end');
    const lines = (rest + (await reader.take(512)).toString('latin1')).split('\n');
    mapBytes += 512;
    rest = lines.pop() ?? '';
    if (rest.length > 512) throw badArchive('a sparse map of the tar is no map');
    for (const line of lines) {
      if (count < 0) {
        count = decimal(line);
        checkCount(count, limits);
        wanted = count * 2;
      } else if (extents.length < wanted) {
        extents.push(decimal(line));
      }
    }
  }
  return { extents, mapBytes };
}

function checkCount(count: number, limits: ArchiveLimits): void {
  if (count > limits.sparseExtents)
    throw badArchive(`the tar holds a sparse file of more than ${limits.sparseExtents} pieces`);
}

function decimal(text: string): number {
  if (!/^\d{1,16}$/.test(text)) throw badArchive('a sparse map of the tar has something that is no number');
  return Number(text);
}
