import { describe, expect, test } from 'vitest';
import type { BoundPort } from '../../../../src/network/nat/index.ts';
import { publicationCommands } from '../../../../src/network/nat/publication.ts';
import { decodeKey, type PublishedElement } from '../../../../src/network/nat/published-element.ts';

const bound = (hostAddress: string, hostPort: number, containerPort: number, protocol = 'tcp') =>
  ({ hostAddress, hostPort, containerPort, protocol }) as BoundPort;
const inTable = { family: 'inet', table: 'tsbox' };
const rule = (chain: string, ...expr: object[]) => ({ add: { rule: { ...inTable, chain, expr } } });
const dport = (right: number | object, protocol = 'tcp') => ({
  match: { op: '==', left: { payload: { protocol, field: 'dport' } }, right },
});
const selfChain = [
  { add: { chain: { ...inTable, name: 'self-a' } } },
  { flush: { chain: { ...inTable, name: 'self-a' } } },
  rule('self-a', { masquerade: null }),
];

describe('what nft is to do', () => {
  test('a port for both families: a chain, its rules, and then what leads there', () => {
    const publication = {
      id: 'a',
      ports: [bound('0.0.0.0', 8080, 80), bound('::', 8080, 80)],
      addresses: ['10.87.0.2/16', 'fd87::2/64'],
    };
    const goto = { goto: { target: 'container-a' } };
    const gotoSelf = { goto: { target: 'self-a' } };
    expect(publicationCommands([publication], [])).toEqual([
      { add: { chain: { ...inTable, name: 'container-a' } } },
      { flush: { chain: { ...inTable, name: 'container-a' } } },
      rule('container-a', dport(8080), { dnat: { family: 'ip', addr: '10.87.0.2', port: 80 } }),
      rule('container-a', dport(8080), { dnat: { family: 'ip6', addr: 'fd87::2', port: 80 } }),
      ...selfChain,
      { add: { element: { ...inTable, name: 'any4', elem: [[{ concat: [6, 8080] }, goto]] } } },
      { add: { element: { ...inTable, name: 'any6', elem: [[{ concat: [6, 8080] }, goto]] } } },
      {
        add: {
          element: { ...inTable, name: 'self4', elem: [[{ concat: ['10.87.0.2', '10.87.0.2'] }, gotoSelf]] },
        },
      },
      {
        add: {
          element: { ...inTable, name: 'self6', elem: [[{ concat: ['fd87::2', 'fd87::2'] }, gotoSelf]] },
        },
      },
    ]);
  });

  const rulesOf = (ports: BoundPort[], addresses = ['10.87.0.2']) =>
    publicationCommands([{ id: 'a', ports, addresses }], [])
      .flatMap(
        (command) => (command as { add?: { rule?: { chain: string; expr: object[] } } }).add?.rule ?? [],
      )
      .flatMap(({ chain, expr }) => (chain === 'container-a' ? [expr] : []));

  test('at an address: only what came there', () => {
    expect(rulesOf([bound('127.0.0.1', 5353, 53, 'udp')])).toEqual([
      [
        { match: { op: '==', left: { payload: { protocol: 'ip', field: 'daddr' } }, right: '127.0.0.1' } },
        dport(5353, 'udp'),
        { dnat: { family: 'ip', addr: '10.87.0.2', port: 53 } },
      ],
    ]);
  });

  test('a range is one rule: with the same numbers inside, without a port; with others, with a map', () => {
    const same = [9000, 9001, 9002].map((number) => bound('0.0.0.0', number, number));
    expect(rulesOf(same)).toEqual([
      [dport({ range: [9000, 9002] }), { dnat: { family: 'ip', addr: '10.87.0.2' } }],
    ]);
    const others = [9000, 9001].map((number) => bound('0.0.0.0', number, number - 1000));
    const map = {
      key: { payload: { protocol: 'tcp', field: 'dport' } },
      data: {
        set: [
          [9000, 8000],
          [9001, 8001],
        ],
      },
    };
    expect(rulesOf(others)).toEqual([
      [dport({ range: [9000, 9001] }), { dnat: { family: 'ip', addr: '10.87.0.2', port: { map } } }],
    ]);
    const apart = [bound('0.0.0.0', 9000, 8000), bound('0.0.0.0', 9001, 8005)];
    expect(rulesOf(apart)).toHaveLength(2);
  });

  test('without an IPv6 address inside there is no rule for IPv6', () => {
    expect(rulesOf([bound('0.0.0.0', 1, 2), bound('::', 1, 2)])).toHaveLength(1);
  });

  test('what a dead container left at the port is replaced, what others have is left alone, its own is not added again', () => {
    const element = (port: number, chain: string): PublishedElement => ({
      map: 'any4',
      key: [6, port],
      chain,
    });
    const now = [
      element(1, 'container-dead'),
      element(2, 'container-other'),
      element(3, 'container-a'),
      element(4, 'container-a'),
    ];
    const commands = publicationCommands(
      [{ id: 'a', ports: [bound('0.0.0.0', 1, 80), bound('0.0.0.0', 3, 80)], addresses: ['10.87.0.2'] }],
      now,
    );
    const elements = commands.filter((command) => JSON.stringify(command).includes('"any4"'));
    expect(elements).toEqual([
      { delete: { element: { ...inTable, name: 'any4', elem: [{ concat: [6, 1] }, { concat: [6, 4] }] } } },
      {
        add: {
          element: {
            ...inTable,
            name: 'any4',
            elem: [[{ concat: [6, 1] }, { goto: { target: 'container-a' } }]],
          },
        },
      },
    ]);
  });
});

describe("the kernel's keys: each part in network byte order, at a multiple of 4 bytes", () => {
  test.each([
    ['any4', '06000000 1f900000', [6, 8080]],
    ['at4', '11000000 7f000001 14e90000', [17, '127.0.0.1', 5353]],
    ['at6', '06000000 20010db8000000000000000000000001 00500000', [6, '2001:db8::1', 80]],
    ['self4', '0a570002 0a570002', ['10.87.0.2', '10.87.0.2']],
  ] as const)('%s', (map, hex, key) => {
    expect(decodeKey(map, Buffer.from(hex.replaceAll(' ', ''), 'hex'))).toEqual({ map, key });
  });

  test('one that is too short is not ours', () => {
    expect(() => decodeKey('at4', Buffer.from('11000000', 'hex'))).toThrow(
      'the map at4 of the table inet tsbox has a key that is not ours',
    );
  });
});
