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
  for (const [offset, length] of NUMBERS) checkNumber(block, offset, length, position);
  const header = decode(block, position);
  if (header.nullBlock) return undefined;
  if (!header.cksumValid) throw badArchive(`the tar header at byte ${position} has a wrong checksum`);
  const posix = block.toString('latin1', MAGIC, MAGIC + 6) === 'ustar\0';
  const known = posix || block.toString('latin1', MAGIC, MAGIC + 8) === 'ustar  \0';
  // star keeps times where POSIX has the end of the prefix, and says so at the very end of the block.
  const prefixLength = block.toString('latin1', 508, 512) === 'tar\0' ? 131 : 155;
  const prefix = posix ? text(block, 345, prefixLength) : '';
  const name = text(block, 0, 100);
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    linkName: text(block, 157, 100),
    type: block[156] === 0 ? '0' : String.fromCharCode(block[156] as number),
    mode: (header.mode ?? 0) & 0o7777,
    uid: natural(header.uid, 'owner', position),
    gid: natural(header.gid, 'group', position),
    size: natural(readNumber(block, 124, 12), 'size', position),
    mtime: nanoseconds(header.mtime, position),
    major: known ? natural(readNumber(block, 329, 8), 'device number', position) : 0,
    minor: known ? natural(readNumber(block, 337, 8), 'device number', position) : 0,
  };
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
  const end = block.indexOf(0, offset);
  return block.toString('latin1', offset, end < 0 ? offset + length : Math.min(end, offset + length));
}

const MAGIC = 257;

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
