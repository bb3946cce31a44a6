import { describe, expect, test } from 'vitest';
import { DEFAULT_DEVICE_RULES, deviceProgram } from '../../../src/cgroup/devices.ts';
import type { DeviceRule } from '../../../src/runtime/spec.ts';
import { runDeviceProgram, unreachable } from '../../fixtures/ebpf.ts';

// linux/bpf.h
const BLOCK = 1;
const CHAR = 2;
const M = 1;
const R = 2;
const W = 4;

function verdict(
  rules: readonly DeviceRule[],
  type: number,
  major: number,
  minor: number,
  access: number,
): number {
  const program = deviceProgram(rules);
  return program === undefined ? 1 : runDeviceProgram(program, { type, major, minor, access });
}

describe('the default rules', () => {
  test.each([
    ['null', 1, 3],
    ['zero', 1, 5],
    ['full', 1, 7],
    ['random', 1, 8],
    ['urandom', 1, 9],
    ['tty', 5, 0],
    ['console', 5, 1],
    ['ptmx', 5, 2],
    ['pts/0', 136, 0],
    ['pts/77', 136, 77],
  ])('allow reading, writing and making /dev/%s', (_, major, minor) => {
    for (let access = 1; access <= 7; access++) {
      expect(verdict(DEFAULT_DEVICE_RULES, CHAR, major, minor, access)).toBe(1);
    }
  });

  test.each([
    ['mem', CHAR, 1, 1],
    ['kmsg', CHAR, 1, 11],
    ['tty1', CHAR, 4, 1],
    ['fuse', CHAR, 10, 229],
    ['kvm', CHAR, 10, 232],
    ['sda', BLOCK, 8, 0],
    ['a block device numbered as null is', BLOCK, 1, 3],
    ['the second range of pts', CHAR, 137, 0],
  ])('deny opening /dev/%s, but not making its node', (_, type, major, minor) => {
    expect(verdict(DEFAULT_DEVICE_RULES, type, major, minor, R)).toBe(0);
    expect(verdict(DEFAULT_DEVICE_RULES, type, major, minor, W)).toBe(0);
    expect(verdict(DEFAULT_DEVICE_RULES, type, major, minor, R | W)).toBe(0);
    expect(verdict(DEFAULT_DEVICE_RULES, type, major, minor, M | R)).toBe(0);
    expect(verdict(DEFAULT_DEVICE_RULES, type, major, minor, M)).toBe(1);
  });
});

describe('how rules combine', () => {
  const sda = { type: 'b', major: 8, minor: 0 } as const;

  test('with no rule at all everything is denied', () => {
    expect(verdict([], CHAR, 1, 3, R)).toBe(0);
  });

  test('the last rule wins', () => {
    const allowThenDeny = [
      { allow: true, ...sda },
      { allow: false, ...sda },
    ];
    expect(verdict(allowThenDeny, BLOCK, 8, 0, R)).toBe(0);
    expect(verdict([...allowThenDeny].reverse(), BLOCK, 8, 0, R)).toBe(1);
  });

  test('one rule for reading and one for writing together allow both', () => {
    const rules = [
      { allow: true, ...sda, access: 'r' },
      { allow: true, ...sda, access: 'w' },
    ];
    expect(verdict(rules, BLOCK, 8, 0, R | W)).toBe(1);
    expect(verdict(rules, BLOCK, 8, 0, R | W | M)).toBe(0);
  });

  test('a rule that denies writing denies opening for both', () => {
    const rules = [
      { allow: true, ...sda },
      { allow: false, ...sda, access: 'w' },
    ];
    expect(verdict(rules, BLOCK, 8, 0, R)).toBe(1);
    expect(verdict(rules, BLOCK, 8, 0, R | W)).toBe(0);
  });

  test('-1 and an absent number are any', () => {
    const rules: DeviceRule[] = [{ allow: true, type: 'c', major: 10, minor: -1, access: 'r' }];
    expect(verdict(rules, CHAR, 10, 229, R)).toBe(1);
    expect(verdict(rules, CHAR, 11, 229, R)).toBe(0);
  });

  test('everything allowed needs no program', () => {
    expect(deviceProgram([{ allow: true }])).toBeUndefined();
    expect(
      deviceProgram([
        { allow: false, ...sda },
        { allow: true, type: 'a', access: 'rwm' },
      ]),
    ).toBeUndefined();
    expect(deviceProgram([{ allow: true }, { allow: true, ...sda }])).toBeUndefined();
  });

  test('everything but one', () => {
    const rules: DeviceRule[] = [{ allow: true }, { allow: false, ...sda, access: 'rw' }];
    expect(verdict(rules, BLOCK, 8, 0, R)).toBe(0);
    expect(verdict(rules, BLOCK, 8, 0, M)).toBe(1);
    expect(verdict(rules, BLOCK, 8, 1, R)).toBe(1);
  });

  test('what a later rule covers costs nothing', () => {
    const one = deviceProgram([{ allow: true, ...sda }]);
    const many = deviceProgram([{ allow: false }, ...Array(50).fill({ allow: true, ...sda })]);
    expect(many).toEqual(one);
  });

  test('a thousand lists of rules give what the definition gives, at every request', () => {
    let seed = 1;
    const random = (below: number) => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return (seed >>> 16) % below;
    };
    const letters = (bits: number) => `${bits & M ? 'm' : ''}${bits & R ? 'r' : ''}${bits & W ? 'w' : ''}`;
    const rule = (): DeviceRule => ({
      allow: random(2) === 0,
      type: (['a', 'b', 'c'] as const)[random(3)] as 'a',
      ...(random(3) ? { major: random(2) } : {}),
      ...(random(3) ? { minor: random(2) } : {}),
      access: letters(1 + random(7)),
    });
    const bit = (rules: DeviceRule[], type: string, major: number, minor: number, letter: string) =>
      rules.findLast(
        (r) =>
          (r.type === 'a' || r.type === type) &&
          (r.major ?? major) === major &&
          (r.minor ?? minor) === minor &&
          r.access?.includes(letter),
      )?.allow ?? false;
    for (let round = 0; round < 1000; round++) {
      const rules = Array.from({ length: random(8) }, rule);
      const program = deviceProgram(rules);
      if (program !== undefined) expect(unreachable(program)).toEqual([]);
      for (let request = 0; request < 2 * 2 * 2 * 7; request++) {
        const [type, major, minor, access] = [
          request & 1,
          (request >> 1) & 1,
          (request >> 2) & 1,
          1 + (request >> 3),
        ];
        const expected = [...letters(access)].every((l) => bit(rules, type ? 'c' : 'b', major, minor, l))
          ? 1
          : 0;
        const got =
          program === undefined
            ? 1
            : runDeviceProgram(program, { type: type ? CHAR : BLOCK, major, minor, access });
        if (got !== expected) expect({ rules, type, major, minor, access, got }).toEqual({ expected });
      }
    }
  });
});

test.each([
  [{ allow: true, type: 'x' }, "a device rule's type"],
  [{ allow: true, type: 'toString' }, "a device rule's type"],
  [{ allow: true, type: 'c', major: 4096 }, "a device rule's major number"],
  [{ allow: true, type: 'c', major: -2 }, "a device rule's major number"],
  [{ allow: true, type: 'c', major: 1.5 }, "a device rule's major number"],
  [{ allow: true, type: 'c', major: 1, minor: 1048576 }, "a device rule's minor number"],
  [{ allow: true, access: 'rx' }, "a device rule's access"],
  [{ allow: true, access: '' }, "a device rule's access"],
])('refuses %j', (rule, name) => {
  expect(() => deviceProgram([rule as DeviceRule])).toThrow(expect.objectContaining({ code: 'BAD_LIMIT' }));
  expect(() => deviceProgram([rule as DeviceRule])).toThrow(name);
});
