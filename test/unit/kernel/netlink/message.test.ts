import { describe, expect, test } from 'vitest';
import {
  decodeMessages,
  decodeVerdict,
  encodeRequest,
  type Reply,
} from '../../../../src/kernel/netlink/index.ts';

const bytes = (text: string) => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');

/**
 * What Linux 6.18 answered to RTM_NEWLINK of the kind `nosuch`, and of lo with IFF_UP, on a socket with NETLINK_EXT_ACK and NETLINK_CAP_ACK: as Python
 * received it.
 */
const REFUSED = `
  3c000000 0200 0003 05000000 39300000
  a1ffffff 30000000 1000 0506 05000000 00000000
  18000100 556e6b6e6f776e20646576696365207479706500`;
const ACCEPTED = `
  24000000 0200 0001 06000000 39300000
  00000000 20000000 1000 0500 06000000 00000000`;

describe('messages', () => {
  test('a request: length, type, flags, number, struct, attributes', () => {
    const header = bytes('00000000 01000000 01000000 01000000');
    const encoded = encodeRequest(
      { type: 'RTM_NEWLINK', flags: 0x600, header, attributes: [[4, 1500]] },
      4,
      7,
    );
    expect(Buffer.from(encoded).toString('hex')).toBe(
      bytes(`28000000 1000 0506 07000000 00000000
        00000000 01000000 01000000 01000000
        08000400 dc050000`).toString('hex'),
    );
  });

  test('a struct whose length is no multiple of 4 is padded', () => {
    const encoded = encodeRequest(
      { type: 'RTM_GETADDR', header: Uint8Array.of(2), attributes: [[1, 1]] },
      0,
      1,
    );
    expect(Buffer.from(encoded.subarray(16)).toString('hex')).toBe('02000000' + '0800010001000000');
  });

  test('several in a datagram', () => {
    const replies = decodeMessages(bytes(REFUSED + ACCEPTED));
    expect(replies.map(({ type, sequence }) => [type, sequence])).toEqual([
      [2, 5],
      [2, 6],
    ]);
    expect(replies.map((reply) => decodeVerdict(reply, 'error'))).toEqual([
      { errno: 95, said: 'Unknown device type' },
      { errno: 0, said: undefined },
    ]);
  });

  test('the end of a dump may say an errno, or nothing', () => {
    const done = (payload: Uint8Array): Reply => ({ type: 3, flags: 2, sequence: 1, payload });
    expect(decodeVerdict(done(bytes('00000000')), 'done')).toEqual({ errno: 0, said: undefined });
    expect(decodeVerdict(done(bytes('edffffff')), 'done')).toEqual({ errno: 19, said: undefined });
    expect(decodeVerdict(done(bytes('')), 'done')).toEqual({ errno: 0, said: undefined });
  });

  test.each([
    ['shorter than its header', '0f000000 0200 0000 01000000 00000000'],
    ['of no length', '00000000 0200 0000 01000000 00000000'],
    ['longer than the datagram', '14000000 0200 0000 01000000 00000000'],
    ['that is short of 2^32', 'ffffffff 0200 0000 01000000 00000000'],
  ])('one %s is refused', (_, text) => {
    expect(() => decodeMessages(bytes(text))).toThrow(expect.objectContaining({ code: 'BAD_NETLINK' }));
  });

  test('a verdict that is cut off is refused', () => {
    const [reply] = decodeMessages(bytes('18000000 0200 0000 01000000 00000000 00000000 00000000'));
    expect(() => decodeVerdict(reply as Reply, 'error')).toThrow(
      expect.objectContaining({ code: 'BAD_NETLINK' }),
    );
  });
});
