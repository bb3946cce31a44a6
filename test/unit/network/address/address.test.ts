import { isIP, isIPv6 } from 'node:net';
import { describe, expect, test } from 'vitest';
import {
  formatAddress,
  macOf,
  normalAddress,
  parseAddress,
  parseMac,
} from '../../../../src/network/address/index.ts';

describe('addresses', () => {
  test.each([
    ['10.87.0.2', 4, 0x0a570002n],
    ['255.255.255.255', 4, 0xffffffffn],
    ['::', 6, 0n],
    ['::1', 6, 1n],
    ['fd12:3456::1', 6, 0xfd123456000000000000000000000001n],
    ['2001:db8:0:1:2:3:4:5', 6, 0x20010db8000000010002000300040005n],
    ['::ffff:192.0.2.33', 6, 0xffffc0000221n],
    ['FE80::A', 6, 0xfe80000000000000000000000000000an],
  ])('%s', (text, family, value) => {
    expect(parseAddress(text)).toEqual({ family, value });
  });

  // CVE-2021-29923: a leading zero, which some read as octal and others do not.
  test.each([
    '010.0.0.1',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '1.2.3.4 ',
    '',
    'fe80::1%eth0',
    '1::2::3',
    ':::',
    '12345::',
    '1:2:3:4:5:6:7',
    'web',
    '1.2.3.4/8',
  ])('CVE-2021-29923 and others: %j is none', (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });

  test('whatever the text, it is an address where Node says so', () => {
    const pieces = [
      '1',
      '0',
      '00',
      '255',
      '256',
      'ffff',
      'abcde',
      'g',
      ':',
      '::',
      '.',
      '1.2.3.4',
      '',
      ' ',
      'fd00',
      ':',
    ];
    for (let round = 0; round < 20_000; round++) {
      let text = '';
      for (let left = Math.random() * 16; left > 0; left--)
        text += `${pieces[Math.floor(Math.random() * pieces.length)]}${Math.random() < 0.6 ? ':' : ''}`;
      expect(parseAddress(text)?.family ?? 0, text).toBe(isIP(text));
    }
    for (const text of [
      '1:2:3:4:5:6:7::',
      '::2:3:4:5:6:7:8',
      '1::3:4:5:6:7:8',
      '1:2:3:4:5:6:7:8::',
      '::1.2.3.4',
      '1:2:3:4:5:6:1.2.3.4',
      '1:2:3:4:5:6:7:1.2.3.4',
      '1.2.3.4::',
      ':1::',
      '1::1:',
    ])
      expect(parseAddress(text)?.family ?? 0, text).toBe(isIP(text));
  });

  // RFC 5952, section 4.
  test.each([
    ['2001:0db8::0001', '2001:db8::1'],
    ['2001:db8:0:0:0:0:2:1', '2001:db8::2:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:DB8::AAAA', '2001:db8::aaaa'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['1:0:0:0:0:0:0:0', '1::'],
  ])('%s is written as %s', (text, normal) => {
    expect(normalAddress(text)).toBe(normal);
  });

  test('what is written is read as the same, as the URL parser of Node writes it too', () => {
    for (let round = 0; round < 500; round++) {
      let value = 0n;
      for (let group = 0; group < 8; group++)
        value = (value << 16n) | BigInt(Math.random() < 0.5 ? 0 : Math.floor(Math.random() * 0x10000));
      const text = formatAddress({ family: 6, value });
      expect(isIPv6(text), text).toBe(true);
      expect(new URL(`http://[${text}]/`).hostname).toBe(`[${text}]`);
      expect(parseAddress(text)).toEqual({ family: 6, value });
      const ipv4 = { family: 4 as const, value: value & 0xffffffffn };
      expect(parseAddress(formatAddress(ipv4))).toEqual(ipv4);
    }
  });
});

describe('Ethernet addresses', () => {
  test.each([
    ['02:42:AC:11:00:02', '02:42:ac:11:00:02'],
    ['02-42-ac-11-00-02', '02:42:ac:11:00:02'],
  ])('%s', (text, mac) => {
    expect(parseMac(text)).toBe(mac);
  });

  test.each([
    '',
    '02:42:ac:11:00',
    '02:42:ac:11:00:02:03',
    '02:42-ac:11:00:02',
    '0242.ac11.0002',
    '01:00:5e:00:00:01',
    'ff:ff:ff:ff:ff:ff',
    '00:00:00:00:00:00',
    'g2:42:ac:11:00:02',
  ])('%j is none that an interface can have', (text) => {
    expect(parseMac(text)).toBeUndefined();
  });

  test('the one of an IPv4 address', () => {
    expect(macOf({ family: 4, value: 0x0a5701fen })).toBe('02:42:0a:57:01:fe');
  });
});
