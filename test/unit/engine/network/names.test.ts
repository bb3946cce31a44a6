import { expect, test } from 'vitest';
import { hostsLines } from '../../../../src/engine/network/names.ts';
import type { Connection } from '../../../../src/engine/network/recorded.ts';
import type { ContainerRecord } from '../../../../src/engine/record.ts';

type Place = Pick<Connection, 'network' | 'addresses'> & Partial<Connection>;

function record(
  name: string,
  digit: string,
  places: Place[],
  options: ContainerRecord['options'] = {},
): ContainerRecord {
  const leases: Connection[] = places.map((place, at) => ({
    ...{
      driver: 'bridge' as const,
      networkId: 'f'.repeat(64),
      mac: '02:42:0a:00:00:02',
      aliases: [],
      gateways: [],
      interface: `eth${at}`,
    },
    ...place,
  }));
  return {
    ...{
      id: digit.repeat(64),
      name,
      image: 'a',
      imageId: 'b',
      command: [],
      created: '',
      labels: {},
      status: 'running',
    },
    ...{ rm: true, options, network: { mode: 'x', endpoints: [], leases, ports: [] } },
  } as ContainerRecord;
}

const web = record('web', 'a', [
  { network: 'back', addresses: ['10.1.0.2/24', 'fd00::2/64'], aliases: ['www'] },
]);
const db = record(
  'db',
  'b',
  [
    { network: 'back', addresses: ['10.1.0.3/24'] },
    { network: 'front', addresses: ['10.2.0.3/24'], aliases: ['data'] },
  ],
  { hostname: 'box' },
);
const cache = record('cache', 'c', [{ network: 'front', addresses: ['10.2.0.4/24'] }]);
const members = (network: string) =>
  [web, db, cache].filter((each) => each.network?.leases.some((lease) => lease.network === network));

test('itself first, then the others of its networks, with name, aliases, id and host name', () => {
  expect(hostsLines(web, members)).toEqual([
    '10.1.0.2\taaaaaaaaaaaa web www',
    'fd00::2\taaaaaaaaaaaa web www',
    '10.1.0.3\tdb bbbbbbbbbbbb box',
  ]);
  expect(hostsLines(db, members)).toEqual([
    '10.1.0.3\tbox db bbbbbbbbbbbb',
    '10.2.0.3\tbox db data bbbbbbbbbbbb',
    '10.1.0.2\tweb www aaaaaaaaaaaa',
    'fd00::2\tweb www aaaaaaaaaaaa',
    '10.2.0.4\tcache cccccccccccc',
  ]);
});

test('in the default network it has its own name and no other', () => {
  const alone = record('alone', 'd', [{ network: 'bridge', addresses: ['10.87.0.2/16'] }]);
  expect(hostsLines(alone, () => [web, alone])).toEqual(['10.87.0.2\tdddddddddddd']);
});

test('host-gateway is the first way out', () => {
  const one = record(
    'one',
    'd',
    [{ network: 'bridge', addresses: ['10.87.0.2/16'], gateways: ['10.87.0.1', 'fd00::1'] }],
    { addHost: ['up:host-gateway', 'other:192.0.2.1'] },
  );
  expect(hostsLines(one, () => [])).toEqual(['10.87.0.2\tdddddddddddd', '10.87.0.1\tup']);
});

test('many aliases are several lines, none longer than programs read', () => {
  const aliases = Array.from({ length: 100 }, (_, at) => `alias-number-${at}`);
  const many = record('many', 'd', [{ network: 'back', addresses: ['10.1.0.9/24'], aliases }]);
  const lines = hostsLines(web, () => [many]);
  expect(lines.length).toBeGreaterThan(3);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(512);
  const names = lines.flatMap((line) => line.split('\t')[1]?.split(' ') ?? []);
  expect(names).toEqual(['many', ...aliases, 'dddddddddddd']);
  expect(lines.every((line) => line.startsWith('10.1.0.9\t'))).toBe(true);
});
