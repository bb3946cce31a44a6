import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { isFilter } from '../../../../src/engine/seccomp/cache.ts';
import { REVISION } from '../../../../src/engine/seccomp/compiled.ts';
import {
  compileDefault,
  compiledDefault,
  defaultFilterName,
  RELEVANT_CAPABILITIES,
  seccompFilter,
} from '../../../../src/engine/seccomp/index.ts';
import { wasCompiled } from '../../../../src/runtime/seccomp/kept.ts';
import type { Seccomp } from '../../../../src/runtime/spec.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tsbox-seccomp-'));
  vi.stubEnv('TSBOX_ROOT', root);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true });
});

const kept = () => readdirSync(join(root, 'cache', 'seccomp'));

test('a filter changes only with REVISION: else a filter that was kept by an older tsbox would be used', () => {
  const digest = createHash('sha256');
  for (const arch of ['x64', 'arm64'] as const)
    for (const capabilities of [[], ['CAP_SYS_CHROOT'], RELEVANT_CAPABILITIES])
      digest.update(compileDefault(capabilities, '6.1', arch).filter);
  expect(`${REVISION} ${digest.digest('hex')}`).toBe(
    '1 c2c0045fb011e2b4665f86032bcdf75c6100094fad6c1baea5936bf06d64e602',
  );
});

describe('the default profile', () => {
  // Not one that the build makes.
  const capabilities = ['CAP_SYS_TIME', 'CAP_SYS_RAWIO'];

  test('is compiled once and then read', () => {
    const first = compiledDefault(capabilities, '6.1');
    const [name] = kept() as [string];
    expect(kept()).toHaveLength(1);
    expect(readFileSync(join(root, 'cache', 'seccomp', name))).toEqual(first.filter);
    // A return of our own shows that the file is what counts.
    const other = Buffer.from([6, 0, 0, 0, 0, 0, 0xff, 0x7f]);
    writeFileSync(join(root, 'cache', 'seccomp', name), other);
    expect(compiledDefault(capabilities, '6.1')).toEqual({ filter: other, flags: 0 });
  });

  test.each([
    ['empty', Buffer.alloc(0)],
    ['zeros', Buffer.alloc(800)],
    ['text', Buffer.from('not a filter, though it is of 40 bytes...')],
    ['endless', Buffer.alloc(8 * 4097, Buffer.from([6, 0, 0, 0, 0, 0, 0, 0]))],
  ])('is compiled again where the file is broken (%s)', (_title, broken) => {
    const { filter } = compiledDefault(capabilities, '6.1');
    const [name] = kept() as [string];
    const file = join(root, 'cache', 'seccomp', name);
    for (const bytes of [broken, filter.subarray(0, -8), filter.subarray(0, 100)]) {
      writeFileSync(file, bytes);
      expect(compiledDefault(capabilities, '6.1').filter).toEqual(filter);
      expect(readFileSync(file)).toEqual(filter);
    }
  });

  test('needs no cache that can be written', () => {
    vi.stubEnv('TSBOX_ROOT', '/dev/null');
    expect(compiledDefault(capabilities, '6.1').filter.length).toBeGreaterThan(1000);
  });

  test('is named after what it depends on, and nothing else', () => {
    const name = defaultFilterName(['CAP_SYS_CHROOT', 'CAP_CHOWN'], '6.18.5', 'x64');
    expect(name).toBe(defaultFilterName(['CAP_NET_RAW', 'CAP_SYS_CHROOT'], '5.14', 'x64'));
    for (const capability of RELEVANT_CAPABILITIES.filter((one) => one !== 'CAP_SYS_CHROOT'))
      expect(defaultFilterName(['CAP_SYS_CHROOT', capability], '6.1', 'x64')).not.toBe(name);
    expect(defaultFilterName(['CAP_SYS_CHROOT'], '4.7', 'x64')).not.toBe(name);
    expect(defaultFilterName(['CAP_SYS_CHROOT'], '6.1', 'arm64')).not.toBe(name);
  });

  test('depends on no capability that its name leaves out', () => {
    const others = [
      'CAP_CHOWN',
      'CAP_NET_RAW',
      'CAP_NET_ADMIN',
      'CAP_SETUID',
      'CAP_KILL',
      'CAP_CHECKPOINT_RESTORE',
      'CAP_AUDIT_WRITE',
    ];
    expect(compileDefault(others, '6.1', 'x64')).toEqual(compileDefault([], '6.1', 'x64'));
  });
});

describe('any profile', () => {
  const profile = (value: bigint): Seccomp => ({
    defaultAction: 'SCMP_ACT_ERRNO',
    syscalls: [{ names: ['read'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, op: 'SCMP_CMP_EQ', value }] }],
    flags: ['SECCOMP_FILTER_FLAG_LOG'],
  });

  test('is compiled once and then read, and is known by then', () => {
    expect(wasCompiled(profile(1n))).toBe(false);
    const first = seccompFilter(profile(1n));
    expect(first.flags).toBe(2);
    expect(kept()).toHaveLength(1);
    expect(wasCompiled(profile(1n))).toBe(true);
    expect(seccompFilter(profile(1n))).toEqual(first);
    expect(wasCompiled(profile(2n ** 63n))).toBe(false);
    seccompFilter(profile(2n ** 63n));
    seccompFilter({ defaultAction: 'SCMP_ACT_ALLOW' });
    expect(kept()).toHaveLength(3);
    expect([undefined, null, 'SCMP_ACT_ALLOW', 1, []].map(wasCompiled)).not.toContain(true);
  });

  test('is compiled again where another one has its name, or the file is broken', () => {
    const { filter } = seccompFilter(profile(1n));
    const [name] = kept() as [string];
    const file = join(root, 'cache', 'seccomp', name);
    const whole = readFileSync(file);
    const end = 4 + filter.length;
    const otherText = Buffer.from(whole);
    otherText[end + 20] = (otherText[end + 20] as number) ^ 1;
    const noFilter = Buffer.from(whole).fill(0, 4, end);
    const noLength = Buffer.from(whole).fill(0xff, 0, 4);
    const broken = [
      otherText,
      noFilter,
      noLength,
      whole.subarray(0, -1),
      whole.subarray(0, 3),
      Buffer.alloc(0),
    ];
    for (const bytes of broken) {
      writeFileSync(file, bytes);
      expect(wasCompiled(profile(1n))).toBe(false);
      expect(seccompFilter(profile(1n)).filter).toEqual(filter);
      expect(readFileSync(file)).toEqual(whole);
    }
  });

  test('that is bad is refused, and nothing kept', () => {
    expect(() => seccompFilter({ defaultAction: 'SCMP_ACT_NOTIFY' })).toThrow(
      'linux.seccomp.defaultAction: SCMP_ACT_NOTIFY is not supported',
    );
    expect(readdirSync(root)).toEqual([]);
  });
});

test('a filter with a jump out of it is none', () => {
  const ret = [6, 0, 0, 0, 0, 0, 0, 0];
  expect(isFilter(Buffer.from([0x15, 0, 1, 0, 0, 0, 0, 0, ...ret, ...ret]))).toBe(true);
  expect(isFilter(Buffer.from([0x15, 0, 2, 0, 0, 0, 0, 0, ...ret, ...ret]))).toBe(false);
  expect(isFilter(Buffer.from([0x05, 0, 0, 0, 2, 0, 0, 0, ...ret, ...ret]))).toBe(false);
});
