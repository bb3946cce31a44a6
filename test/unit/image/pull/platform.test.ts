import { describe, expect, it } from 'vitest';
import {
  formatPlatform,
  machinePlatform,
  parsePlatform,
  runnable,
} from '../../../../src/image/pull/platform.ts';

describe('parsePlatform', () => {
  it.each([
    ['linux/amd64', 'linux/amd64'],
    ['linux/amd64/v1', 'linux/amd64'],
    ['linux/amd64/v2', 'linux/amd64/v2'],
    ['linux/x86_64', 'linux/amd64'],
    ['arm64', 'linux/arm64'],
    ['linux/aarch64/v8', 'linux/arm64'],
    ['linux/arm', 'linux/arm/v7'],
    ['linux/arm/6', 'linux/arm/v6'],
    ['armhf', 'linux/arm/v7'],
    ['armel', 'linux/arm/v6'],
    ['Linux/I386', 'linux/386'],
    ['linux/s390x', 'linux/s390x'],
    ['linux', formatPlatform(machinePlatform())],
  ])('%s is %s', (text, expected) => {
    expect(formatPlatform(parsePlatform(text))).toBe(expected);
  });

  it.each(['', '/', 'linux/', 'a/b/c/d', 'linux/amd 64', 'linux/amd64\n', '../x', 'x'.repeat(100)])(
    'refuses %j',
    (text) => {
      expect(() => parsePlatform(text)).toThrow(expect.objectContaining({ code: 'BAD_PLATFORM' }));
    },
  );
});

// The lists of containerd's platforms package for the same platforms.
describe('what a platform can run, the best first', () => {
  it.each([
    ['linux/amd64', ['linux/amd64', 'linux/386']],
    ['linux/amd64/v3', ['linux/amd64/v3', 'linux/amd64/v2', 'linux/amd64', 'linux/386']],
    ['linux/arm64', ['linux/arm64', 'linux/arm/v8', 'linux/arm/v7', 'linux/arm/v6', 'linux/arm/v5']],
    ['linux/arm/v7', ['linux/arm/v7', 'linux/arm/v6', 'linux/arm/v5']],
    ['linux/arm/v6', ['linux/arm/v6', 'linux/arm/v5']],
    ['linux/riscv64', ['linux/riscv64']],
  ])('%s', (text, expected) => {
    expect(runnable(parsePlatform(text)).map(formatPlatform)).toEqual(expected);
  });

  it('is bounded, whatever the variant says', () => {
    expect(runnable(parsePlatform('linux/amd64/v99999999')).length).toBeLessThan(20);
  });
});
