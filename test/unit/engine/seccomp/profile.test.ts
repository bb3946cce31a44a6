import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import {
  defaultProfile,
  loadProfile,
  RELEVANT_CAPABILITIES,
  resolveProfile,
} from '../../../../src/engine/seccomp/index.ts';

const directory = mkdtempSync(join(tmpdir(), 'tsbox-seccomp-'));
afterAll(() => rmSync(directory, { recursive: true }));

const host = { capabilities: ['CAP_SYS_CHROOT'], arch: 'x64' as const, kernelRelease: '6.1.0-18-amd64' };
const allow = (name: string, part: object = {}) => ({ names: [name], action: 'SCMP_ACT_ALLOW', ...part });

function names(syscalls: object[], on: Partial<typeof host> | { arch: 'arm64' } = {}): string[] {
  const resolved = resolveProfile({ defaultAction: 'SCMP_ACT_ERRNO', syscalls }, { ...host, ...on });
  return (resolved.syscalls ?? []).flatMap((rule) => rule.names);
}

describe('conditions of a rule', () => {
  test('all included capabilities are needed, any excluded one is enough', () => {
    const rules = [
      allow('a', { includes: { caps: ['CAP_BPF', 'CAP_SYS_ADMIN'] } }),
      allow('b', { excludes: { caps: ['CAP_BPF', 'CAP_SYS_ADMIN'] } }),
    ];
    expect(names(rules, { capabilities: [] })).toEqual(['b']);
    expect(names(rules, { capabilities: ['CAP_BPF'] })).toEqual([]);
    expect(names(rules, { capabilities: ['CAP_BPF', 'CAP_SYS_ADMIN'] })).toEqual(['a']);
  });

  test('one of the architectures is enough, by Go’s names', () => {
    const rules = [
      allow('a', { includes: { arches: ['arm', 'arm64'] } }),
      allow('b', { includes: { arches: ['amd64', 'x32'] } }),
      allow('c', { excludes: { arches: ['arm64'] } }),
    ];
    expect(names(rules)).toEqual(['b', 'c']);
    expect(names(rules, { arch: 'arm64' })).toEqual(['a']);
  });

  test.each([
    ['4.7.9', ['b']],
    ['4.8', ['a']],
    ['4.10.0-rc1', ['a']],
    ['3.19', ['b']],
    ['6.18.5-tsbox', ['a']],
  ])('on kernel %s', (kernelRelease, expected) => {
    const rules = [
      allow('a', { includes: { minKernel: '4.8' } }),
      allow('b', { excludes: { minKernel: '4.8' } }),
    ];
    expect(names(rules, { kernelRelease })).toEqual(expected);
  });

  test('`name` is the old form of `names`', () => {
    expect(names([{ name: 'read', action: 'SCMP_ACT_ALLOW', args: [] }])).toEqual(['read']);
  });
});

test('archMap gives this machine and its smaller siblings; one that has not this machine gives none', () => {
  const archMap = [
    { architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_X32'] },
    { architecture: 'SCMP_ARCH_RISCV64', subArchitectures: null },
  ];
  const profile = { defaultAction: 'SCMP_ACT_ERRNO', archMap };
  expect(resolveProfile(profile, host).architectures).toEqual([
    'SCMP_ARCH_X86_64',
    'SCMP_ARCH_X86',
    'SCMP_ARCH_X32',
  ]);
  expect(resolveProfile(profile, { ...host, arch: 'arm64' }).architectures).toBeUndefined();
});

describe("Docker's default profile", () => {
  test.each([
    [host.capabilities, { mount: false, chroot: true, clone3: 'SCMP_ACT_ERRNO' }],
    [[], { mount: false, chroot: false, clone3: 'SCMP_ACT_ERRNO' }],
    [RELEVANT_CAPABILITIES, { mount: true, chroot: true, clone3: 'SCMP_ACT_ALLOW' }],
  ])('with %j', (capabilities, expected) => {
    const rules = resolveProfile(defaultProfile(), { ...host, capabilities }).syscalls ?? [];
    const of = (name: string) => rules.filter((rule) => rule.names.includes(name));
    expect(of('mount').length > 0).toBe(expected.mount);
    expect(of('chroot').length > 0).toBe(expected.chroot);
    expect(of('clone3').map((rule) => rule.action)).toEqual([expected.clone3]);
    expect(of('read')).toHaveLength(1);
  });
});

describe('a profile from a file', () => {
  const load = (text: string | Buffer) => {
    const file = join(directory, 'profile.json');
    writeFileSync(file, text);
    return loadProfile(file, host);
  };

  test('keeps values of 64 bits exact', () => {
    const args =
      '[{"index":0,"value":18446744073709551615,"valueTwo":9007199254740993,"op":"SCMP_CMP_MASKED_EQ"}]';
    const profile = load(
      `{"comment":"-12345678901234567890","defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW","args":${args}}]}`,
    );
    expect(profile.syscalls?.[0]?.args?.[0]).toMatchObject({
      value: 18446744073709551615n,
      valueTwo: 9007199254740993n,
    });
    expect(profile).toMatchObject({ comment: '-12345678901234567890' });
  });

  test('takes null for an empty list, as Go writes it, and a byte order mark', () => {
    const profile = load(
      '\ufeff{"defaultAction":"SCMP_ACT_ALLOW","architectures":null,"syscalls":[{"names":["read"],"action":"SCMP_ACT_LOG","args":null,"includes":{},"excludes":null}]}',
    );
    expect(profile.syscalls).toHaveLength(1);
  });

  test.each([
    ['', ':1:1: not JSON: expected a value, found the end'],
    ['{', ':1:2: not JSON: expected a name in quotes, found the end'],
    ['{"a":1,}', ':1:8: not JSON: expected a name in quotes, found "}"'],
    ['{\n  "a": 1\n  "b": 2\n}', ':3:3: not JSON: expected , or }, found "\\""'],
    ['[1, 2', ':1:6: not JSON: expected , or ], found the end'],
    ['{"a": tru}', ':1:7: not JSON: expected a value, found "t"'],
    ['{"a": "\t"}', ':1:7: not JSON: expected a value, found "\\""'],
    ['{} {}', ':1:4: not JSON: expected the end, found "{"'],
    ['['.repeat(200), ':1:101: not JSON: more than 100 levels'],
    [`"${'a'.repeat(1_000_000)}`, ':1:1: not JSON: expected a value, found "\\""'],
    ['[]', ': expected an object, found []'],
    ['{}', '.defaultAction: unknown action undefined'],
    [
      '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["a"],"name":"b","action":"SCMP_ACT_LOG"}]}',
      '.syscalls[0]: both `name` and `names` are there',
    ],
    [
      '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["a"],"action":"SCMP_ACT_LOG","includes":{"minKernel":"4.8.1"}}]}',
      '.syscalls[0].includes.minKernel: "4.8.1" is not a kernel version',
    ],
    // Also where the rule does not apply here.
    [
      '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["a"],"action":"LOG","includes":{"arches":["s390x"]}}]}',
      '.syscalls[0].action: unknown action "LOG"',
    ],
    [
      '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["a"],"action":"SCMP_ACT_LOG","includes":{"caps":"CAP_BPF"}}]}',
      '.syscalls[0].includes.caps: expected a list',
    ],
    [
      '{"defaultAction":"SCMP_ACT_ALLOW","archMap":[{"architecture":"SCMP_ARCH_X86_64"}],"architectures":["SCMP_ARCH_X86"]}',
      ': both `architectures` and `archMap` are there',
    ],
    [Buffer.alloc((1 << 20) + 1, ' '), ': larger than 1 MiB'],
  ])('that is bad gets one line with its name and place (%#)', (text, message) => {
    expect(() => load(text)).toThrow(`profile.json${message}`);
  });

  test.each([
    ['missing.json', 'no such file or directory'],
    ['.', 'not a regular file'],
  ])('%s cannot be read', (name, why) => {
    const file = join(directory, name);
    expect(() => loadProfile(file, host)).toThrow(`cannot read the seccomp profile ${file}: ${why}`);
  });

  test('good JSON is taken as it is, whatever is in it', () => {
    const text =
      ' { "defaultAction" : "SCMP_ACT_ALLOW", "x": [ ], "y": { }, "z": [1.5e-3, -0, true, false, null, "\\u00e9\\"\\\\", {"a":[[]]}], "w": 1.12345678901234567890 } ';
    const { x, y, z, w } = load(text) as unknown as Record<string, unknown>;
    expect({ x, y, z, w }).toEqual({
      x: [],
      y: {},
      z: [0.0015, -0, true, false, null, 'é"\\', { a: [[]] }],
      w: 1.1234567890123457,
    });
  });
});
