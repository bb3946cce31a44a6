import { describe, expect, test } from 'vitest';
import { encodeRequest, type Request } from '../../../../src/kernel/netlink/index.ts';
import { checkInterfaceName } from '../../../../src/network/link/find-link.ts';
import {
  addAddress,
  addDefaultRoute,
  addressOf,
  bytesOf,
  changeLink,
  macBytes,
} from '../../../../src/network/link/requests.ts';

const encoded = (request: Request) => Buffer.from(encodeRequest(request, 0, 1).subarray(16)).toString('hex');
const hex = (text: string) => text.replaceAll(/\s/g, '');

// struct ifinfomsg, ifaddrmsg and rtmsg of rtnetlink(7), by hand.
describe('requests', () => {
  test('a link that is to be up', () => {
    expect(encoded(changeLink({ index: 1, up: true }))).toBe(hex('00 00 0000 01000000 01000000 01000000'));
    expect(encoded(changeLink({ index: 5, up: false }))).toBe(hex('00 00 0000 05000000 00000000 01000000'));
    expect(encoded(changeLink({ index: 5 }))).toBe(hex('00 00 0000 05000000 00000000 00000000'));
  });

  test('an address of IPv4, with where broadcasts go', () => {
    expect(encoded(addAddress(3, '10.87.1.2/16'))).toBe(
      hex('02 10 00 00 03000000  08000200 0a570102  08000100 0a570102  08000400 0a57ffff'),
    );
  });

  test('a subnet of two addresses has none', () => {
    expect(encoded(addAddress(3, '10.0.0.0/31'))).toBe(
      hex('02 1f 00 00 03000000  08000200 0a000000  08000100 0a000000'),
    );
  });

  test('an address of IPv6, which is not tried first', () => {
    const address = 'fd000000 00000000 00000000 0000000a';
    expect(encoded(addAddress(3, 'fd00::a/64'))).toBe(
      hex(`0a 40 02 00 03000000  14000200 ${address}  14000100 ${address}`),
    );
  });

  test('default routes', () => {
    expect(encoded(addDefaultRoute(2, 4, '10.87.0.1'))).toBe(
      hex('02 00 00 00 fe 03 00 01 00000000  08000400 02000000  08000500 0a570001'),
    );
    expect(encoded(addDefaultRoute(2, 6, 'fd00::1'))).toBe(
      hex(
        '0a 00 00 00 fe 03 00 01 00000000  08000400 02000000  14000500 fd000000 00000000 00000000 00000001',
      ),
    );
    expect(encoded(addDefaultRoute(2, 4))).toBe(hex('02 00 00 00 fe 03 fd 01 00000000  08000400 02000000'));
  });

  test('bytes of addresses, there and back', () => {
    expect(Buffer.from(bytesOf({ family: 4, value: 0xc0a80001n })).toString('hex')).toBe('c0a80001');
    expect(addressOf(Uint8Array.of(192, 168, 0, 1))).toEqual({ family: 4, value: 0xc0a80001n });
    const six = { family: 6, value: 0x20010db8_0000_0000_0000_0000_0000_0001n } as const;
    expect(addressOf(bytesOf(six))).toEqual(six);
    expect([...macBytes('02:42:0a:57:00:ff')]).toEqual([2, 0x42, 10, 0x57, 0, 255]);
  });
});

describe('names of interfaces', () => {
  test.each(['eth0', 'a', 'br-0123456789ab', 'fifteen.letters'])('%s', (name) => {
    expect(checkInterfaceName(name)).toBe(name);
  });

  test.each(['', '.', '..', 'sixteen-letters1', 'a b', 'a/b', 'a:b', 'eth%d', 'é', '\u001b[31m', 'a\n'])(
    '%j is refused',
    (name) => {
      expect(() => checkInterfaceName(name)).toThrow(expect.objectContaining({ code: 'BAD_INTERFACE' }));
    },
  );
});
