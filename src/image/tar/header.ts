import { Header } from 'tar/header';
import { badArchive } from '../archive-error.ts';

/** One header block of 512 bytes, as it is written, before any extended header changes it. Names have one character a byte. */
export interface HeaderBlock {
  name: string;
  linkName: string;
  /** The type flag: `0` for a file, `5` for a directory, … */
  type: string;
  mode: number;
  uid: number;
  gid: number;
  /** Bytes that follow in the archive. */
  size: number;
  /** Nanoseconds since 1970. */
  mtime: bigint;
  major: number;
  minor: number;
}

/**
 * Decodes a header block; undefined for a block of zeros, which ends an archive.
 *
 * node-tar's Header does the checksum and the numbers (octal and base-256). Names, device numbers and the format are read
 * here, because it takes names for UTF-8, and leaves out the device numbers of GNU's format, which is what GNU tar writes unless it is asked
 * for another: such a node would become 0:0, a whiteout; nor the size, which it takes for 0 where a name ends in a slash, whatever follows. See
 * docs/decisions/0002-tar.md.
 *
 * @param position where the block is in the archive, for the message
 * @throws {TsboxError} BAD_ARCHIVE
 */
export function readHeader(block: Buffer, position: number): HeaderBlock | undefined {
  return readPlain(block) ?? readAny(block, position);
}

/**
 * What nearly all blocks are: right, and with octal numbers only. Undefined for any other, of which `readAny` says what it is. It sees the same in
 * a plain one, in ten times the time: node-tar makes strings and arrays of each field, and reads some that nobody needs here.
 */
function readPlain(block: Buffer): HeaderBlock | undefined {
  const mode = octal(block, 100, 8);
  const uid = octal(block, 108, 8);
  const gid = octal(block, 116, 8);
  const size = octal(block, 124, 12);
  const mtime = octal(block, 136, 12);
  const checksum = octal(block, CHECKSUM, 8);
  const known = isPosix(block) || isGnu(block);
  const major = known ? octal(block, 329, 8) : 0;
  const minor = known ? octal(block, 337, 8) : 0;
  const odd = mode < 0 || uid < 0 || gid < 0 || size < 0 || mtime < 0 || major < 0 || minor < 0;
  // The type comes next to the checksum, and is a digit: readers differ where nothing is between them.
  const ended = block[CHECKSUM + 7] === SPACE || block[CHECKSUM + 7] === 0;
  if (odd || !ended || checksum !== sumOf(block) || checksum === 8 * SPACE) return undefined;
  const { name, linkName, type } = namesOf(block);
  // Every one by its name: with a spread, V8 takes 10 µs for an object of this size.
  return {
    name,
    linkName,
    type,
    mode: mode & 0o7777,
    uid,
    gid,
    size,
    mtime: BigInt(mtime) * 1_000_000_000n,
    major,
    minor,
  };
}

function readAny(block: Buffer, position: number): HeaderBlock | undefined {
  for (const [offset, length] of NUMBERS) checkNumber(block, offset, length, position);
  const header = decode(block, position);
  if (header.nullBlock) return undefined;
  if (!header.cksumValid) throw badArchive(`the tar header at byte ${position} has a wrong checksum`);
  const known = isPosix(block) || isGnu(block);
  return {
    ...namesOf(block),
    mode: (header.mode ?? 0) & 0o7777,
    uid: natural(header.uid, 'owner', position),
    gid: natural(header.gid, 'group', position),
    size: natural(readNumber(block, 124, 12), 'size', position),
    mtime: nanoseconds(header.mtime, position),
    major: known ? natural(readNumber(block, 329, 8), 'device number', position) : 0,
    minor: known ? natural(readNumber(block, 337, 8), 'device number', position) : 0,
  };
}

function namesOf(block: Buffer): Pick<HeaderBlock, 'name' | 'linkName' | 'type'> {
  // star keeps times where POSIX has the end of the prefix, and says so at the very end of the block.
  const prefixLength = block.toString('latin1', 508, 512) === 'tar\0' ? 131 : 155;
  const prefix = isPosix(block) ? text(block, 345, prefixLength) : '';
  const name = text(block, 0, 100);
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    linkName: text(block, 157, 100),
    type: block[156] === 0 ? '0' : String.fromCharCode(block[156] as number),
  };
}

function isPosix(block: Buffer): boolean {
  return block.toString('latin1', MAGIC, MAGIC + 6) === 'ustar\0';
}

function isGnu(block: Buffer): boolean {
  return block.toString('latin1', MAGIC, MAGIC + 8) === 'ustar  \0';
}

/** Octal digits between spaces, up to a NUL or the end; 0 where there are none, -1 for anything else. */
function octal(block: Buffer, offset: number, length: number): number {
  const end = offset + length;
  let at = offset;
  let value = 0;
  while (at < end && block[at] === SPACE) at++;
  for (; at < end; at++) {
    const digit = (block[at] as number) - 0x30;
    if (digit < 0 || digit > 7) break;
    value = value * 8 + digit;
  }
  while (at < end && block[at] === SPACE) at++;
  return at === end || block[at] === 0 ? value : -1;
}

/** The sum of all bytes, those of the checksum itself taken for spaces. */
function sumOf(block: Buffer): number {
  let sum = 8 * SPACE;
  for (let at = 0; at < CHECKSUM; at++) sum += block[at] as number;
  for (let at = CHECKSUM + 8; at < 512; at++) sum += block[at] as number;
  return sum;
}

/** A number field that Header has no name for: octal digits, or base-256 where the first byte has its top bit set. */
export function readNumber(block: Buffer, offset: number, length: number): number {
  const first = block[offset] as number;
  if ((first & 0x80) === 0) return Number.parseInt(text(block, offset, length).trim() || '0', 8);
  if (first === 0xff) return -1;
  let value = first & 0x7f;
  for (let index = offset + 1; index < offset + length; index++)
    value = value * 256 + (block[index] as number);
  return value;
}

/** The bytes up to the first NUL. */
export function text(block: Buffer, offset: number, length: number): string {
  if (block[offset] === 0) return '';
  const end = block.indexOf(0, offset);
  return block.toString('latin1', offset, end < 0 ? offset + length : Math.min(end, offset + length));
}

const MAGIC = 257;
const CHECKSUM = 148;
const SPACE = 0x20;

/** Mode, owner, group, size, time: offset and length. */
const NUMBERS = [
  [100, 8],
  [108, 8],
  [116, 8],
  [124, 12],
  [136, 12],
] as const;

/** `12x` is 12 to one reader and 0 to another; what two readers see differently can be used to hide a file from one of them. */
function checkNumber(block: Buffer, offset: number, length: number, position: number): void {
  if ((block[offset] as number) & 0x80) return;
  if (/^ *[0-7]* *$/.test(text(block, offset, length))) return;
  throw badArchive(`the tar header at byte ${position} has a number that is not octal`);
}

function decode(block: Buffer, position: number): Header {
  try {
    return new Header(block, 0);
  } catch {
    throw badArchive(`the tar header at byte ${position} has a number that is too large`);
  }
}

function natural(value: number | undefined, what: string, position: number): number {
  const number = value ?? 0;
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw badArchive(`the tar header at byte ${position} has an impossible ${what}`);
}

function nanoseconds(date: Date | undefined, position: number): bigint {
  const milliseconds = date?.getTime() ?? 0;
  if (!Number.isInteger(milliseconds))
    throw badArchive(`the tar header at byte ${position} has an impossible time`);
  return BigInt(milliseconds) * 1_000_000n;
}
