import { Header } from 'tar/header';
import { describe, expect, it } from 'vitest';
import { readHeader } from '../../../../src/image/tar/header.ts';

/** A block with a right checksum, whatever is in it. */
function block(fields: Record<number, string>, checksum = (sum: number) => `${octal(sum, 6)}\0 `): Buffer {
  const bytes = Buffer.alloc(512);
  for (const [offset, text] of Object.entries(fields)) bytes.write(text, Number(offset), 'latin1');
  bytes.write(' '.repeat(8), 148);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.fill(0, 148, 156).write(checksum(sum), 148, 8, 'latin1');
  return bytes;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

const TYPED = { 0: 'a', 156: '0', 257: 'ustar\x0000' };

describe('readHeader', () => {
  const written = (value: number, end: string, pad: string, length: number) =>
    value.toString(8).padStart(length - end.length, pad) + end;
  const cases = ['ustar\x0000', 'ustar  \0', ''].flatMap((magic) =>
    ['\0', ' ', ' \0'].flatMap((end) => ['0', ' '].map((pad) => ({ magic, end, pad }))),
  );

  it.each(cases)('reads numbers as node-tar does, with %j', ({ magic, end, pad }) => {
    for (const size of [0, 1, 7, 8, 511, 512, 0o7777777777]) {
      const bytes = block({
        0: 'a/b',
        100: written(size % 0o10000, end, pad, 8),
        108: written(size % 0o777777, end, pad, 8),
        116: written((size * 3) % 0o777777, end, pad, 8),
        124: written(size, end, pad, 12),
        136: written(0o7777777777 - size, end, pad, 12),
        156: '0',
        257: magic,
      });
      const theirs = new Header(bytes, 0);
      expect(theirs.cksumValid).toBe(true);
      expect(theirs.size).toBe(size);
      expect(readHeader(bytes, 0)).toMatchObject({
        name: 'a/b',
        mode: theirs.mode,
        uid: theirs.uid,
        gid: theirs.gid,
        size,
        mtime: BigInt(theirs.mtime?.getTime() ?? 0) * 1_000_000n,
      });
    }
  });

  it.each([
    ['one more than it is', (sum: number) => `${octal(sum + 1, 6)}\0 `],
    ['nothing', () => ''],
    ['no number', () => '00x000\0 '],
    // Readers that take twelve bytes for it, as node-tar, see another number than those that take eight.
    ['eight digits', (sum: number) => octal(sum, 8)],
  ])('refuses a checksum that is %s', (_, checksum) => {
    expect(() => readHeader(block(TYPED, checksum), 512)).toThrow(
      expect.objectContaining({
        code: 'BAD_ARCHIVE',
        message: 'the tar header at byte 512 has a wrong checksum',
      }),
    );
  });

  it.each([100, 108, 116, 124, 136])('refuses `12x` for the number at byte %i', (offset) => {
    expect(() => readHeader(block({ ...TYPED, [offset]: '12x' }), 512)).toThrow(
      expect.objectContaining({ message: 'the tar header at byte 512 has a number that is not octal' }),
    );
  });

  it('knows a block of zeros', () => {
    expect(readHeader(Buffer.alloc(512), 0)).toBeUndefined();
  });

  it('reads numbers in base-256', () => {
    expect(readHeader(block({ ...TYPED, 108: '\x80\0\0\0\0\x20\0\x01' }), 0)).toMatchObject({
      uid: 0x200001,
    });
  });
});
