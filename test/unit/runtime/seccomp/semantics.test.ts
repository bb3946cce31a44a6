import { describe, expect, test } from 'vitest';
import { compileSeccomp } from '../../../../src/runtime/seccomp/index.ts';
import type { Seccomp, SeccompRule } from '../../../../src/runtime/spec.ts';
import { runFilter } from '../../../fixtures/bpf.ts';
import { Random } from '../../../fixtures/random.ts';

const X86_64 = 0xc000003e;
const ALLOW = 0x7fff0000;
const EPERM = 0x50001;
const ENOSYS = 0x50026;
const MAX = 2n ** 64n - 1n;

function verdict(seccomp: Seccomp, nr: number, args: bigint[] = [], arch = X86_64): number {
  return runFilter(compileSeccomp(seccomp, 'x64').filter, { nr, arch, args }).verdict;
}

function withArgs(...args: SeccompRule['args'][]): Seccomp {
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    syscalls: args.map((conditions) => ({ names: ['socket'], action: 'SCMP_ACT_ALLOW', args: conditions })),
  };
}

describe('actions', () => {
  test.each([
    ['SCMP_ACT_KILL', undefined, 0],
    ['SCMP_ACT_KILL_THREAD', undefined, 0],
    ['SCMP_ACT_KILL_PROCESS', undefined, 0x80000000],
    ['SCMP_ACT_TRAP', undefined, 0x30000],
    ['SCMP_ACT_ERRNO', undefined, 0x50001],
    ['SCMP_ACT_ERRNO', 0, 0x50000],
    ['SCMP_ACT_ERRNO', 13, 0x5000d],
    ['SCMP_ACT_TRACE', 7, 0x7ff00007],
    ['SCMP_ACT_LOG', undefined, 0x7ffc0000],
    ['SCMP_ACT_ALLOW', undefined, 0x7fff0000],
  ])('%s with errnoRet %s', (action, errnoRet, expected) => {
    const rule = { names: ['read'], action, errnoRet };
    expect(verdict({ defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 99, syscalls: [rule] }, 0)).toBe(
      expected,
    );
    expect(verdict({ defaultAction: action, defaultErrnoRet: errnoRet }, 0)).toBe(expected);
  });

  test('flags become those of seccomp(2)', () => {
    const flags = ['SECCOMP_FILTER_FLAG_TSYNC', 'SECCOMP_FILTER_FLAG_LOG', 'SECCOMP_FILTER_FLAG_SPEC_ALLOW'];
    expect(compileSeccomp({ defaultAction: 'SCMP_ACT_ALLOW', flags }).flags).toBe(6);
  });
});

describe('operators on 64 bits', () => {
  const value = 0x5_0000_0007n;
  test.each([
    ['SCMP_CMP_EQ', [value], [value - 1n, value + 1n, 7n, 0x6_0000_0007n]],
    ['SCMP_CMP_NE', [value - 1n, value + 1n, 7n, 0x6_0000_0007n], [value]],
    ['SCMP_CMP_LT', [0n, value - 1n, 0x4_ffff_ffffn], [value, 0x6_0000_0000n, MAX]],
    ['SCMP_CMP_LE', [0n, value, 0x4_ffff_ffffn], [value + 1n, 0x6_0000_0000n, MAX]],
    ['SCMP_CMP_GT', [value + 1n, 0x6_0000_0000n, MAX], [0n, value, 0x4_ffff_ffffn]],
    ['SCMP_CMP_GE', [value, 0x6_0000_0000n, MAX], [0n, value - 1n, 0x4_ffff_ffffn]],
  ])('%s', (op, yes, no) => {
    for (const argument of yes)
      expect(verdict(withArgs([{ index: 0, op, value }]), 41, [argument])).toBe(ALLOW);
    for (const argument of no)
      expect(verdict(withArgs([{ index: 0, op, value }]), 41, [argument])).toBe(EPERM);
  });

  test('SCMP_CMP_MASKED_EQ compares the masked bits of both halves', () => {
    const profile = withArgs([
      { index: 2, op: 'SCMP_CMP_MASKED_EQ', value: 0xf_0000_00f0n, valueTwo: 0x3_0000_0040n },
    ]);
    expect(verdict(profile, 41, [0n, 0n, 0xff3_ffff_ff4fn])).toBe(ALLOW);
    expect(verdict(profile, 41, [0n, 0n, 0x3_0000_0050n])).toBe(EPERM);
    expect(verdict(profile, 41, [0n, 0n, 0x4_0000_0040n])).toBe(EPERM);
  });

  test('on x86 the lower halves are compared', () => {
    const profile = {
      ...withArgs([{ index: 0, op: 'SCMP_CMP_EQ', value: 5 }]),
      architectures: ['SCMP_ARCH_X86'],
    };
    expect(verdict(profile, 359, [0x9_0000_0005n], 0x40000003)).toBe(ALLOW);
    expect(verdict(profile, 359, [4n], 0x40000003)).toBe(EPERM);
  });
});

describe('rules', () => {
  const [first, second] = [
    { index: 0, op: 'SCMP_CMP_EQ', value: 1 },
    { index: 1, op: 'SCMP_CMP_EQ', value: 2 },
  ];

  test('conditions of one rule must all hold, and one of several rules', () => {
    expect(verdict(withArgs([first, second]), 41, [1n, 2n])).toBe(ALLOW);
    expect(verdict(withArgs([first, second]), 41, [1n, 3n])).toBe(EPERM);
    expect(verdict(withArgs([first], [second]), 41, [9n, 2n])).toBe(ALLOW);
    expect(verdict(withArgs([first], [second]), 41, [9n, 9n])).toBe(EPERM);
  });

  test('an argument that appears twice makes each condition a rule, as in runc', () => {
    const range = withArgs([
      { index: 0, op: 'SCMP_CMP_GT', value: 10 },
      { index: 0, op: 'SCMP_CMP_LT', value: 5 },
    ]);
    expect([3n, 7n, 11n].map((argument) => verdict(range, 41, [argument]))).toEqual([ALLOW, EPERM, ALLOW]);
  });

  test('a call of another architecture is killed', () => {
    expect(verdict({ defaultAction: 'SCMP_ACT_ALLOW' }, 0, [], 0x40000003)).toBe(0);
    expect(verdict({ defaultAction: 'SCMP_ACT_ALLOW' }, 0x40000000)).toBe(0);
    // -1 is a tracer's way to skip a call.
    expect(verdict({ defaultAction: 'SCMP_ACT_ALLOW' }, 0xffffffff)).toBe(ALLOW);
  });

  test.each([
    ['SCMP_ACT_ERRNO', EPERM, ENOSYS],
    ['SCMP_ACT_KILL', 0, ENOSYS],
    ['SCMP_ACT_LOG', 0x7ffc0000, 0x7ffc0000],
  ])(
    'with default %s, calls newer than the profile get ENOSYS unless they are let through',
    (defaultAction, older, newer) => {
      const profile = { defaultAction, syscalls: [{ names: ['openat2'], action: 'SCMP_ACT_ALLOW' }] };
      expect([436, 437, 438].map((nr) => verdict(profile, nr))).toEqual([older, ALLOW, newer]);
    },
  );

  test('names that are not known, not even to an object, are left out', () => {
    const names = ['constructor', '__proto__', 'no_such_call', 'read'];
    const profile = { defaultAction: 'SCMP_ACT_ERRNO', syscalls: [{ names, action: 'SCMP_ACT_ALLOW' }] };
    expect([0, 1].map((nr) => verdict(profile, nr))).toEqual([ALLOW, ENOSYS]);
  });

  // libseccomp 2.5.4 answers the first two with the default action and with the rule's.
  test.each([
    [
      'ioctl',
      16,
      [0x5478afddn, 0xffffffff7fffffffn, 0x28n, 0x1ab875022n, 0xfffffffeffffffe7n, 0x28n],
      0x7ffc0000,
    ],
    ['socket', 41, [0n, 0n, 0n, 0n, 0n, 0x1ffffffffn], EPERM],
  ])('several rules of %s with conditions are each kept', (name, nr, args, expected) => {
    const rules: Record<string, SeccompRule['args'][]> = {
      ioctl: [
        [
          { index: 1, op: 'SCMP_CMP_MASKED_EQ', value: 0x28, valueTwo: 0x28 },
          { index: 0, op: 'SCMP_CMP_GT', value: 1 },
        ],
        [
          { index: 3, op: 'SCMP_CMP_EQ', value: 0xffffffff },
          { index: 4, op: 'SCMP_CMP_NE', value: 1 },
          { index: 0, op: 'SCMP_CMP_LT', value: 0xffffffff },
        ],
      ],
      socket: [
        [
          { index: 5, op: 'SCMP_CMP_GT', value: 0xb74336db148ebea5n },
          { index: 5, op: 'SCMP_CMP_LE', value: 0x100000000 },
          { index: 5, op: 'SCMP_CMP_EQ', value: 0x28 },
        ],
      ],
    };
    const syscalls = rules[name]?.map((conditions) => ({
      names: [name],
      action: 'SCMP_ACT_LOG',
      args: conditions,
    }));
    expect(verdict({ defaultAction: 'SCMP_ACT_ERRNO', syscalls }, nr, args)).toBe(expected);
  });
});

describe('random rules of one call, against their plain meaning', () => {
  const holds: Record<string, (argument: bigint, value: bigint, valueTwo: bigint) => boolean> = {
    SCMP_CMP_NE: (a, v) => a !== v,
    SCMP_CMP_LT: (a, v) => a < v,
    SCMP_CMP_LE: (a, v) => a <= v,
    SCMP_CMP_EQ: (a, v) => a === v,
    SCMP_CMP_GE: (a, v) => a >= v,
    SCMP_CMP_GT: (a, v) => a > v,
    SCMP_CMP_MASKED_EQ: (a, v, w) => (a & v) === w,
  };
  const values = [0n, 1n, 2n, 3n, 0xfffffffen, 0xffffffffn, 0x100000000n, 0x100000001n, MAX - 1n, MAX];

  test.each(Array.from({ length: 300 }, (_, seed) => seed))('seed %i', (seed) => {
    const random = new Random(seed);
    const syscalls = Array.from({ length: 1 + random.below(12) }, (_, number) => ({
      names: ['ioctl'],
      action: 'SCMP_ACT_ERRNO',
      // Some neighbours agree, others do not.
      errnoRet: 100 + (random.below(2) === 0 ? 0 : number),
      args: [0, 1, 2]
        .filter((index) => index === 0 || random.below(3) === 0)
        .map((index) => ({
          index,
          op: random.pick(Object.keys(holds)),
          value: random.pick(values),
          valueTwo: random.pick(values),
        }))
        // A mask of nothing is no condition, and would go before the others.
        .map((argument) => (argument.value === 0n ? { ...argument, op: 'SCMP_CMP_GE' } : argument)),
    }));
    const { filter } = compileSeccomp({ defaultAction: 'SCMP_ACT_ALLOW', syscalls }, 'x64');
    for (let turn = 0; turn < 300; turn++) {
      const args = [0, 1, 2].map(() => random.pick(values));
      const first = syscalls.find((rule) =>
        rule.args.every(({ index, op, value, valueTwo }) =>
          holds[op]?.(args[index] as bigint, value, valueTwo),
        ),
      );
      const expected = first === undefined ? ALLOW : 0x50000 + first.errnoRet;
      expect(runFilter(filter, { nr: 16, arch: X86_64, args }).verdict).toBe(expected);
    }
  });
});

describe('long programs', () => {
  test('jumps over more than 255 instructions arrive', () => {
    const names = ['read', 'write', 'ioctl', 'socket', 'openat', 'execve', 'futex'];
    const syscalls = names.flatMap((name, at) =>
      Array.from({ length: 40 }, (_, turn) => ({
        names: [name],
        action: 'SCMP_ACT_ERRNO',
        errnoRet: 100 * at + turn + 2,
        args: [{ index: turn % 6, op: 'SCMP_CMP_EQ', value: turn }],
      })),
    );
    const { filter } = compileSeccomp({ defaultAction: 'SCMP_ACT_ERRNO', syscalls }, 'x64');
    expect(filter.length / 8).toBeGreaterThan(800);
    [0, 1, 16, 41, 257, 59, 202].forEach((nr, at) => {
      for (let turn = 0; turn < 40; turn++) {
        const args = Array.from({ length: 6 }, (_, index) => (index === turn % 6 ? BigInt(turn) : 1000n));
        expect(runFilter(filter, { nr, arch: X86_64, args }).verdict).toBe(0x50000 + 100 * at + turn + 2);
      }
      expect(runFilter(filter, { nr, arch: X86_64, args: [] }).verdict).toBe(0x50000 + 100 * at + 2);
    });
    expect(runFilter(filter, { nr: 2, arch: X86_64, args: [] }).verdict).toBe(EPERM);
  });

  test('one that the kernel would not take is refused', () => {
    const syscalls = Array.from({ length: 3000 }, (_, turn) => ({
      names: ['read'],
      action: turn % 2 === 0 ? 'SCMP_ACT_ALLOW' : 'SCMP_ACT_LOG',
      args: [{ index: 0, op: 'SCMP_CMP_EQ', value: turn }],
    }));
    expect(() => compileSeccomp({ defaultAction: 'SCMP_ACT_ERRNO', syscalls }, 'x64')).toThrow(
      /^the seccomp profile needs a filter of \d+ instructions, the kernel takes 4096$/,
    );
  });
});

describe('bad profiles name the wrong part', () => {
  const rule = (part: object) => ({
    defaultAction: 'SCMP_ACT_ERRNO',
    syscalls: [{ names: ['read'], action: 'SCMP_ACT_ALLOW', ...part }],
  });
  const argument = (part: object) =>
    rule({
      args: [
        { index: 0, value: 1, op: 'SCMP_CMP_EQ' },
        { index: 1, value: 1, op: 'SCMP_CMP_EQ', ...part },
      ],
    });
  test.each(
    [
      [null, 'linux.seccomp: expected an object, found null'],
      [{}, 'linux.seccomp.defaultAction: unknown action undefined, expected one of SCMP_ACT_KILL, '],
      [{ defaultAction: 'SCMP_ACT_NOTIFY' }, 'linux.seccomp.defaultAction: SCMP_ACT_NOTIFY is not supported'],
      [{ defaultAction: 'toString' }, 'linux.seccomp.defaultAction: unknown action "toString"'],
      [
        { defaultAction: 'SCMP_ACT_ALLOW', defaultErrnoRet: 1 },
        'linux.seccomp.defaultErrnoRet: SCMP_ACT_ALLOW takes no errno',
      ],
      [
        { defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 4096 },
        'linux.seccomp.defaultErrnoRet: 4096 is not a number from 0 to 4095',
      ],
      [
        { defaultAction: 'SCMP_ACT_ALLOW', architectures: ['SCMP_ARCH_Z80'] },
        'linux.seccomp.architectures[0]: unknown architecture "SCMP_ARCH_Z80"',
      ],
      [
        { defaultAction: 'SCMP_ACT_ALLOW', flags: ['constructor'] },
        'linux.seccomp.flags[0]: unknown flag "constructor"',
      ],
      [
        { defaultAction: 'SCMP_ACT_ALLOW', syscalls: {} },
        'linux.seccomp.syscalls: expected a list, found {}',
      ],
      [rule({ names: 'read' }), 'linux.seccomp.syscalls[0].names: expected a list, found "read"'],
      [rule({ names: [] }), 'linux.seccomp.syscalls[0].names: at least one system call is needed'],
      [rule({ names: ['read', 3] }), 'linux.seccomp.syscalls[0].names[1]: expected a string, found 3'],
      [rule({ action: 'ALLOW' }), 'linux.seccomp.syscalls[0].action: unknown action "ALLOW"'],
      [
        argument({ index: 6 }),
        'linux.seccomp.syscalls[0].args[1].index: 6 is not an argument, expected 0 to 5',
      ],
      [
        argument({ value: -1 }),
        'linux.seccomp.syscalls[0].args[1].value: -1 is not a number from 0 to 2^64-1',
      ],
      [
        argument({ value: 2n ** 64n }),
        'linux.seccomp.syscalls[0].args[1].value: 18446744073709551616 is not',
      ],
      [argument({ value: 1.5 }), 'linux.seccomp.syscalls[0].args[1].value: 1.5 is not'],
      [argument({ valueTwo: '1' }), 'linux.seccomp.syscalls[0].args[1].valueTwo: "1" is not'],
      [
        argument({ op: '==' }),
        'linux.seccomp.syscalls[0].args[1].op: unknown operator "==", expected one of SCMP_CMP_NE, ',
      ],
    ].map(([profile, message]) => [message as string, profile] as const),
  )('%s', (message, profile) => {
    expect(() => compileSeccomp(profile as Seccomp)).toThrow(
      expect.objectContaining({ code: 'BAD_SECCOMP', message: expect.stringContaining(message) }),
    );
  });
});
