import { BlockList } from 'node:net';
import { describe, expect, test } from 'vitest';
import {
  contains,
  formatAddress,
  formatPrefix,
  nthAddress,
  overlaps,
  type Prefix,
  parseAddress,
  parsePrefix,
  prefixOf,
  sizeOf,
} from '../../../../src/network/address/index.ts';

describe('prefixes', () => {
  test.each([
    ['10.87.0.0/16', { family: 4, value: 0x0a570000n, length: 16 }],
    ['0.0.0.0/0', { family: 4, value: 0n, length: 0 }],
    ['192.0.2.1/32', { family: 4, value: 0xc0000201n, length: 32 }],
    ['FD00:0:0::/48', { family: 6, value: 0xfd00n << 112n, length: 48 }],
  ])('%s', (text, prefix) => {
    expect(parsePrefix(text)).toEqual(prefix);
  });

  test.each([
    ['10.1.2.3/24', '10.1.2.3/24 is an address in a subnet; the subnet is 10.1.2.0/24'],
    ['fd00::1/64', 'fd00::1/64 is an address in a subnet; the subnet is fd00::/64'],
    ['10.1.2.0/33', '10.1.2.0/33 has a prefix longer than the 32 bits of an address'],
    ['fd00::/129', 'fd00::/129 has a prefix longer than the 128 bits of an address'],
    ['10.1.2.0', '10.1.2.0 is not a subnet such as 10.1.2.0/24 or fd12:3456::/64'],
    ['10.1.2/24', '10.1.2/24 is not a subnet such as 10.1.2.0/24 or fd12:3456::/64'],
    ['10.01.2.0/24', '10.01.2.0/24 is not a subnet such as 10.1.2.0/24 or fd12:3456::/64'],
    ['10.1.2.0/-1', '10.1.2.0/-1 is not a subnet such as 10.1.2.0/24 or fd12:3456::/64'],
    ['10.1.2.0/ 8', '"10.1.2.0/ 8" is not a subnet such as 10.1.2.0/24 or fd12:3456::/64'],
    ['a\u001b[2Jb/8', '"a\\u001b[2Jb/8" is not a subnet such as 10.1.2.0/24 or fd12:3456::/64'],
    ['', '"" is not a subnet such as 10.1.2.0/24 or fd12:3456::/64'],
  ])('%j is refused', (text, message) => {
    expect(() => parsePrefix(text)).toThrow(expect.objectContaining({ code: 'BAD_SUBNET', message }));
  });

  test('the n-th address', () => {
    const prefix = parsePrefix('10.1.2.0/30');
    const nth = (n: number) => formatAddress(nthAddress(prefix, n));
    expect([nth(0), nth(1), nth(3), nth(-1), nth(-4)]).toEqual([
      '10.1.2.0',
      '10.1.2.1',
      '10.1.2.3',
      '10.1.2.3',
      '10.1.2.0',
    ]);
    expect(() => nth(4)).toThrow(RangeError);
    expect(() => nth(-5)).toThrow(RangeError);
    expect(formatAddress(nthAddress(parsePrefix('fd00::/64'), 2n ** 64n - 1n))).toBe(
      'fd00::ffff:ffff:ffff:ffff',
    );
    expect(sizeOf(parsePrefix('0.0.0.0/0'))).toBe(4294967296n);
    expect(sizeOf(parsePrefix('10.1.2.3/32'))).toBe(1n);
  });

  test('families never meet', () => {
    expect(overlaps(parsePrefix('0.0.0.0/0'), parsePrefix('::/0'))).toBe(false);
    expect(contains(parsePrefix('::/0'), parseAddress('0.0.0.1') as never)).toBe(false);
  });

  test('what contains what, as the block list of Node has it', () => {
    for (let round = 0; round < 400; round++) {
      const family = round % 2 === 0 ? 4 : 6;
      // Few bits are random, so that many are near each other.
      const near = (): bigint =>
        (family === 4 ? 0x0a000000n : 0xfdn << 120n) | BigInt(Math.floor(Math.random() * 4096));
      const bits = family === 4 ? 32 : 128;
      const length = () => bits - Math.floor(Math.random() * 14);
      const one = prefixOf({ family, value: near() }, length());
      const other = prefixOf({ family, value: near() }, length());
      const address = { family, value: near() } as const;
      const list = new BlockList();
      list.addSubnet(formatAddress(one), one.length, family === 4 ? 'ipv4' : 'ipv6');
      const inList = (value: bigint) =>
        list.check(formatAddress({ family, value }), family === 4 ? 'ipv4' : 'ipv6');
      const what = `${formatPrefix(one)} ${formatPrefix(other)} ${formatAddress(address)}`;
      expect(contains(one, address), what).toBe(inList(address.value));
      const last = nthAddress(other, -1).value;
      expect(contains(one, other), what).toBe(inList(other.value) && inList(last));
      expect(overlaps(one, other), what).toBe(overlaps(other, one));
      expect(overlaps(one, other), what).toBe(inList(other.value) || inList(last) || contains(other, one));
      expect(parsePrefix(formatPrefix(one))).toEqual(one);
    }
  });
});

test('a prefix of an address contains it', () => {
  for (let length = 0; length <= 32; length++) {
    const address = parseAddress('203.0.113.77') as { family: 4; value: bigint };
    const prefix: Prefix = prefixOf(address, length);
    expect(contains(prefix, address)).toBe(true);
    expect(sizeOf(prefix)).toBe(2n ** BigInt(32 - length));
  }
});
