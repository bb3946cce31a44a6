import { describe, expect, it } from 'vitest';
import {
  automaticRange,
  parseSubordinateIds,
  parseUserNamespace,
} from '../../../../src/engine/options/index.ts';
import { refusal } from '../fake-host.ts';

const parse = (value: string) => parseUserNamespace('--userns', value, 'f00d', () => []);

describe('parseUserNamespace', () => {
  it('has none for host', () => {
    expect(parse('host')).toBeUndefined();
  });
  it('reads UID:GID:SIZE', () => {
    expect(parse('100000:200000:65536')).toEqual({
      uidMappings: [{ containerID: 0, hostID: 100000, size: 65536 }],
      gidMappings: [{ containerID: 0, hostID: 200000, size: 65536 }],
    });
  });
  it('reads maps for both', () => {
    const mappings = [
      { containerID: 0, hostID: 100000, size: 1000 },
      { containerID: 1000, hostID: 1000, size: 1 },
    ];
    expect(parse('0:100000:1000,1000:1000:1')).toEqual({ uidMappings: mappings, gidMappings: mappings });
    expect(parse('0:100000:1000')?.uidMappings).toEqual([mappings[0]]);
  });
  it.each([
    ['', 'not host, auto'],
    ['atuo', 'did you mean auto?'],
    ['1:2', 'not host, auto'],
    ['0:1:2:3', 'not host, auto'],
    ['0:-1:5', 'not host, auto'],
    ['0:1:2,', 'not host, auto'],
    ['0:100000:0', 'ids are from 0'],
    ['100000:100000:0', 'ids are from 0'],
    ['0:4294967295:1', 'ids are from 0'],
    ['1:4294967290:10', 'ids are from 0'],
    ['4294967290:1:10', 'ids are from 0'],
    ['0:1000:10,5:3000:10', 'the maps overlap'],
    ['0:1000:10,100:1005:10', 'the maps overlap'],
    ['1:1000:10,100:3000:10', 'root (id 0) is not mapped'],
  ])('refuses %j', (value, message) => {
    expect(refusal(() => parse(value))).toContain(message);
  });
});

describe('automaticRange', () => {
  it('is the same for an id, aligned, and in the range for containers', () => {
    for (let number = 0; number < 300; number++) {
      const first = automaticRange(`id${number}`, []);
      expect(first).toBe(automaticRange(`id${number}`, []));
      expect(first % 65536).toBe(0);
      expect(first).toBeGreaterThanOrEqual(524288);
      expect(first + 65535).toBeLessThanOrEqual(1879048191);
    }
  });
  it('leaves out what is taken, even in part', () => {
    const first = automaticRange('a', []);
    expect(automaticRange('a', [{ hostID: first + 65535, size: 1 }])).toBe(first + 65536);
    expect(automaticRange('a', [{ hostID: first - 1, size: 2 }])).toBe(first + 65536);
    expect(
      automaticRange('a', [
        { hostID: first - 1, size: 1 },
        { hostID: first + 65536, size: 1 },
      ]),
    ).toBe(first);
  });
  it('gives 300 containers 300 ranges', () => {
    const taken: { hostID: number; size: number }[] = [];
    for (let number = 0; number < 300; number++) {
      taken.push({ hostID: automaticRange(`id${number}`, taken), size: 65536 });
    }
    expect(new Set(taken.map((range) => range.hostID)).size).toBe(300);
  });
  it('says when all are in use', () => {
    expect(refusal(() => automaticRange('a', [{ hostID: 0, size: 4294967295 }]), 'NO_IDS')).toContain(
      'no range',
    );
  });
});

it('reads /etc/subuid', () => {
  expect(parseSubordinateIds('ada:100000:65536\n# x\nbad\n1000:165536:10\n:1:2\nx:y:z\n')).toEqual([
    { hostID: 100000, size: 65536 },
    { hostID: 165536, size: 10 },
  ]);
});
