import { execFileSync, spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { Xxh64 } from '../../../../src/image/source/xxh64.ts';

const digest = (...parts: Buffer[]) => {
  const hash = new Xxh64();
  for (const part of parts) hash.update(part);
  return hash.digest();
};

describe('Xxh64', () => {
  // Published values of XXH64 with seed 0: their lower halves.
  it.each([
    ['', 0x51d8e999],
    ['a', 0xa98c6e5b],
    ['abc', 0xad770999],
  ])('hashes %j', (text, expected) => {
    expect(digest(Buffer.from(text))).toBe(expected);
  });

  it('gives the same in any portions', () => {
    const bytes = Buffer.from(Array.from({ length: 1000 }, (_, index) => (index * 7919) & 0xff));
    const whole = digest(bytes);
    for (const size of [1, 3, 31, 32, 33, 64, 500]) {
      const parts: Buffer[] = [];
      for (let at = 0; at < bytes.length; at += size) parts.push(bytes.subarray(at, at + size));
      expect(digest(...parts)).toBe(whole);
    }
  });

  const hasZstd = spawnSync('zstd', ['--version']).status === 0;
  it.skipIf(!hasZstd)(
    'agrees with zstd about lengths of every remainder (skipped without the zstd program)',
    () => {
      for (let length = 0; length < 200; length += 9) {
        const bytes = Buffer.from(Array.from({ length }, (_, index) => (index * 131 + length) & 0xff));
        const frame = execFileSync('zstd', ['-q', '--check', '-c'], { input: bytes });
        expect(digest(bytes)).toBe(frame.readUInt32LE(frame.length - 4));
      }
    },
  );
});
