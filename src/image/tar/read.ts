import { badArchive, shownName } from '../archive-error.ts';
import { ByteReader } from '../byte-reader.ts';
import { ARCHIVE_LIMITS, type ArchiveLimits } from '../limits.ts';
import type { TarEntry, TarEntryType } from './entry.ts';
import { type HeaderBlock, readHeader } from './header.ts';
import { type PaxRecord, paxNumber, paxText, paxTime, readPaxRecords } from './pax.ts';
import { checkSparse, isPaxSparse, readGnuSparse, readPaxSparse } from './sparse.ts';
import { readXattrs } from './xattrs.ts';

/**
 * Reads an archive from a stream, one entry after the other: `next()` gives the entry, `content()` its bytes, once, before the next
 * `next()`, which skips what was not asked for. Formats: POSIX ustar and pax, GNU, star, and V7.
 */
export class TarReader {
  readonly #reader: ByteReader;
  readonly #limits: ArchiveLimits;
  #globals: PaxRecord[] = [];
  #globalBytes = 0;
  #entries = 0;
  /** Bytes of content and padding that are still ahead of the next header. */
  #content = 0;
  #padding = 0;
  #extents: number[] | undefined;

  /** @param beforeNext is called before more of the source is asked for: what `contentAtHand` gave is gone then */
  constructor(
    source: AsyncIterable<Uint8Array>,
    limits: ArchiveLimits = ARCHIVE_LIMITS,
    beforeNext?: () => void,
  ) {
    this.#reader = new ByteReader(source, beforeNext);
    this.#limits = limits;
  }

  /**
   * The next entry; undefined after the last, when the stream has been read to its very end.
   *
   * @throws {TsboxError} BAD_ARCHIVE
   */
  async next(): Promise<TarEntry | undefined> {
    await this.#skip(this.#content + this.#padding);
    const extended: Extended = {};
    for (;;) {
      const position = this.#reader.position;
      const block = await this.#reader.take(512);
      const header = block.length === 512 ? this.#header(block, position) : this.#ended(block, position);
      if (header === undefined) {
        if (Object.keys(extended).length > 0) throw badArchive('the tar ends after an extended header');
        await this.#checkTail();
        return undefined;
      }
      if (!EXTENSIONS.has(header.type)) {
        // The block may lie in memory that the next read overwrites.
        return await this.#entry(header, extended, header.type === 'S' ? Buffer.from(block) : block);
      }
      await this.#extension(header, extended);
    }
  }

  /** All content of the current entry if it has come already, in one piece and without holes. It is not copied, and given once. */
  contentAtHand(): Buffer | undefined {
    if (this.#extents !== undefined) return undefined;
    const bytes = this.#reader.atHand(this.#content);
    if (bytes !== undefined) this.#content = 0;
    return bytes;
  }

  /** Hands the bytes of the current entry to `write`, with their offset in the file. */
  async content(write: (bytes: Buffer, offset: number) => void): Promise<void> {
    const extents = this.#extents ?? [0, this.#content];
    for (let index = 0; index < extents.length; index += 2) {
      let offset = extents[index] as number;
      const end = offset + (extents[index + 1] as number);
      while (offset < end) {
        const bytes = await this.#reader.some(end - offset);
        if (bytes === undefined) throw this.#truncated();
        this.#content -= bytes.length;
        write(bytes, offset);
        offset += bytes.length;
      }
    }
  }

  #header(block: Buffer, position: number): HeaderBlock | undefined {
    try {
      return readHeader(block, position);
    } catch (error) {
      if (position > 0) throw error;
      throw badArchive('it is not a tar archive, nor one in gzip, zstd or xz');
    }
  }

  /** No more blocks, but no end mark either. */
  #ended(block: Buffer, position: number): never {
    if (position === 0 && block.length === 0) throw badArchive('it is empty');
    throw position === 0
      ? badArchive('it is not a tar archive, nor one in gzip, zstd or xz')
      : this.#truncated();
  }

  #truncated(): Error {
    return badArchive(`the tar is truncated: it ends at byte ${this.#reader.position} without its end mark`);
  }

  async #skip(count: number): Promise<void> {
    for (let left = count; left > 0; ) {
      const bytes = await this.#reader.some(left);
      if (bytes === undefined) throw this.#truncated();
      left -= bytes.length;
    }
  }

  /** After the end mark only zeros may follow: anything else would be seen by some readers and not by others. */
  async #checkTail(): Promise<void> {
    for (;;) {
      const bytes = await this.#reader.some(65536);
      if (bytes === undefined) return;
      if (bytes.some((byte) => byte !== 0)) {
        throw badArchive(
          'something follows after the end of the tar',
          'concatenated archives are not one archive',
        );
      }
    }
  }

  async #extension(header: HeaderBlock, extended: Extended): Promise<void> {
    const { type, size } = header;
    const limit = type === 'L' || type === 'K' ? this.#limits.nameBytes + 1 : this.#limits.headerBytes;
    if (size > limit)
      throw badArchive(`the tar has an extended header of ${size} bytes, over the limit of ${limit}`);
    const bytes = Buffer.from(await this.#reader.take(size));
    if (bytes.length < size) throw this.#truncated();
    await this.#skip(padding(size));
    if (type === 'g') {
      this.#globals.push(...globalRecords(bytes));
      this.#globalBytes += size;
      if (this.#globalBytes > this.#limits.headerBytes)
        throw badArchive('the tar has too many global headers');
      return;
    }
    const key = EXTENSIONS.get(type) as keyof Extended;
    if (extended[key] !== undefined) throw badArchive('the tar describes one entry twice');
    if (key === 'records') extended.records = readPaxRecords(bytes);
    else extended[key] = bytes.toString('latin1').replace(/\0+$/, '');
  }

  async #entry(header: HeaderBlock, extended: Extended, block: Buffer): Promise<TarEntry> {
    if (++this.#entries > this.#limits.entries)
      throw badArchive(`the tar has more than ${this.#limits.entries} entries`);
    const records = [...this.#globals, ...(extended.records ?? [])];
    const sparseName = paxText(records, 'GNU.sparse.name');
    const name = sparseName ?? paxText(records, 'path') ?? extended.name ?? header.name;
    const linkName = paxText(records, 'linkpath') ?? extended.linkName ?? header.linkName;
    for (const each of [name, linkName]) {
      if (each.length > this.#limits.nameBytes)
        throw badArchive(`the tar has a name of ${each.length} bytes`);
      if (each.includes('\0')) throw badArchive(`the tar has a name with a NUL in it: ${shownName(each)}`);
    }
    const type = typeOf(header, name);
    const stored = type === 'file' ? (paxNumber(records, 'size') ?? header.size) : 0;
    this.#extents = undefined;
    this.#content = stored;
    this.#padding = padding(stored);
    const size = type === 'file' ? await this.#sparseSize(header, records, block, stored) : 0;
    const uid = paxNumber(records, 'uid') ?? header.uid;
    const gid = paxNumber(records, 'gid') ?? header.gid;
    // 2^32 - 1 means "no change" to chown(2).
    if (uid >= 0xffffffff || gid >= 0xffffffff)
      throw badArchive(`${shownName(name)} has an impossible owner`);
    const { mode, major, minor } = header;
    const mtime = paxTime(records, 'mtime') ?? header.mtime;
    const xattrs = readXattrs(records);
    return { name, type, linkName, mode, uid, gid, mtime, size, major, minor, xattrs };
  }

  /** The size of the file; where it is sparse, its map is kept for `content()`. */
  async #sparseSize(
    header: HeaderBlock,
    records: PaxRecord[],
    block: Buffer,
    stored: number,
  ): Promise<number> {
    this.#extents = undefined;
    let map: Awaited<ReturnType<typeof readGnuSparse>>;
    if (header.type === 'S') map = await readGnuSparse(block, this.#reader, this.#limits);
    else if (isPaxSparse(records)) map = await readPaxSparse(records, stored, this.#reader, this.#limits);
    else return stored;
    checkSparse(map, stored, this.#limits);
    this.#extents = map.extents;
    this.#content -= map.mapBytes;
    return map.size;
  }
}

/** What `x`, `L` and `K` say about the entry that follows them. */
interface Extended {
  records?: PaxRecord[];
  name?: string;
  linkName?: string;
}

const EXTENSIONS = new Map<string, keyof Extended | 'globals'>([
  ['x', 'records'],
  ['L', 'name'],
  ['K', 'linkName'],
  ['g', 'globals'],
]);

const TYPES: Record<string, TarEntryType> = {
  0: 'file',
  1: 'link',
  2: 'symlink',
  3: 'character',
  4: 'block',
  5: 'directory',
  6: 'fifo',
  7: 'file',
  S: 'file',
};

function typeOf(header: HeaderBlock, name: string): TarEntryType {
  const type = TYPES[header.type];
  if (type === undefined)
    throw badArchive(`${shownName(name)} in the tar has the unknown type ${shownName(header.type)}`);
  // Before there was a type for directories, they were files whose names end so.
  return type === 'file' && name.endsWith('/') && header.size === 0 ? 'directory' : type;
}

/** A name or a size that goes for all entries makes no sense but as an attack. `git archive` writes a comment here. */
function globalRecords(bytes: Buffer): PaxRecord[] {
  const records = readPaxRecords(bytes);
  const odd = records.find(({ keyword }) => /^(path|linkpath|size|GNU\.sparse\..*)$/.test(keyword));
  if (odd !== undefined) throw badArchive(`the tar has a global header with ${odd.keyword}`);
  return records;
}

function padding(size: number): number {
  return (512 - (size % 512)) % 512;
}
