import { describe, expect, test } from 'vitest';
import {
  type Attribute,
  attributeList,
  decodeAttributes,
  encodeAttributes,
  numberOf,
  textOf,
  u8,
  u16,
} from '../../../../src/kernel/netlink/index.ts';
import { Random } from '../../../fixtures/random.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe('attributes', () => {
  test.each<[string, Attribute, string]>([
    ['32 bits', [4, 1500], '08000400 dc050000'],
    ['16 bits, padded', [1, u16(0x0102)], '06000100 02010000'],
    ['8 bits, padded', [8, u8(1)], '05000800 01000000'],
    ['text, with its NUL', [3, 'eth0'], '09000300 65746830 00000000'],
    ['bytes', [1, Uint8Array.of(2, 0x42, 10, 87, 0, 2)], '0a000100 02420a57 00020000'],
    ['nothing', [9, new Uint8Array(0)], '04000900'],
    ['nested ones, marked as such', [18, [[1, 'veth']]], '10001280 09000100 76657468 00000000'],
    ['an empty list', [2, []], '04000280'],
  ])('%s as the kernel has them', (_, attribute, expected) => {
    expect(hex(encodeAttributes([attribute]))).toBe(expected.replaceAll(' ', ''));
  });

  test('one follows the other at a multiple of 4', () => {
    expect(
      hex(
        encodeAttributes([
          [8, u8(1)],
          [4, 1400],
        ]),
      ),
    ).toBe('050008000100000008000400 78050000'.replace(' ', ''));
  });

  test('an attribute longer than its length can say is refused', () => {
    expect(encodeAttributes([[1, new Uint8Array(65531)]])).toHaveLength(65536);
    expect(() => encodeAttributes([[1, new Uint8Array(65532)]])).toThrow('65532 bytes');
  });

  test('what was encoded is decoded', () => {
    const random = new Random(1);
    for (let round = 0; round < 500; round++) {
      const values = Array.from({ length: random.below(8) }, (_, at) => {
        const value = Uint8Array.from({ length: random.below(70) }, () => random.below(256));
        return [at * 3 + 1, value] as const;
      });
      const decoded = attributeList(
        encodeAttributes([
          [7, values],
          [8, 1],
        ]),
      );
      expect(decoded.map(([type]) => type)).toEqual([7, 8]);
      const nested = attributeList(decoded[0]?.[1] as Uint8Array);
      expect(nested.map(([type, value]) => [type, hex(value)])).toEqual(
        values.map(([type, value]) => [type, hex(value)]),
      );
    }
  });

  test('values', () => {
    const decoded = decodeAttributes(
      encodeAttributes([
        [1, 70000],
        [2, u16(300)],
        [3, u8(7)],
        [4, 'ab'],
        [5, []],
      ]),
    );
    expect([1, 2, 3, 5, 9].map((type) => numberOf(decoded.get(type)))).toEqual([
      70000,
      300,
      7,
      undefined,
      undefined,
    ]);
    expect([4, 9].map((type) => textOf(decoded.get(type)))).toEqual(['ab', undefined]);
    expect(textOf(Buffer.from('unended'))).toBe('unended');
    expect(textOf(Buffer.from('ab\0cd'))).toBe('ab');
  });

  test.each([
    ['shorter than its own header', '03000100'],
    ['of no length', '00000100 00000000'],
    ['longer than what is there', '09000100 01020304'],
  ])('one %s is refused', (_, bytes) => {
    expect(() => attributeList(Buffer.from(bytes.replaceAll(' ', ''), 'hex'))).toThrow(
      expect.objectContaining({ code: 'BAD_NETLINK' }),
    );
  });

  test('random bytes are decoded or refused, and never read beyond', () => {
    const random = new Random(2);
    for (let round = 0; round < 5000; round++) {
      const bytes = Uint8Array.from({ length: random.below(40) }, () =>
        random.below(random.below(2) ? 256 : 9),
      );
      try {
        const total = attributeList(bytes).reduce((sum, [, value]) => sum + 4 + value.length, 0);
        expect(total).toBeLessThanOrEqual(bytes.length);
      } catch (error) {
        expect(error).toMatchObject({ code: 'BAD_NETLINK' });
      }
    }
  });
});
