import { describe, expect, it } from 'vitest';
import { age, ago, binarySize, decimalSize } from '../../../src/cli/units.ts';

describe('decimalSize', () => {
  it.each([
    [0, '0B'],
    [999, '999B'],
    [1000, '1kB'],
    [7_834_112, '7.83MB'],
    [78_341_120, '78.3MB'],
    [783_411_200, '783MB'],
    [1_200_000_000, '1.2GB'],
  ])('%d is %s', (bytes, text) => expect(decimalSize(bytes)).toBe(text));
});

describe('binarySize', () => {
  it.each([
    [512, '512 B'],
    [64 * 1024 ** 2, '64 MiB'],
    [1.5 * 1024 ** 3, '1.5 GiB'],
    [1023 * 1024, '1023 KiB'],
  ])('%d is %s', (bytes, text) => expect(binarySize(bytes)).toBe(text));
});

// Source: docker/go-units, HumanDuration and its tests.
describe('age', () => {
  it.each([
    [0.45, 'Less than a second'],
    [1, '1 second'],
    [45, '45 seconds'],
    [60, 'About a minute'],
    [180, '3 minutes'],
    [3600, 'About an hour'],
    [3600 * 3, '3 hours'],
    [3600 * 47, '47 hours'],
    [86400 * 3, '3 days'],
    [86400 * 14, '2 weeks'],
    [86400 * 90, '3 months'],
    [86400 * 365 * 3, '3 years'],
  ])('%d s is %s', (seconds, text) => expect(age(seconds)).toBe(text));
});

describe('ago', () => {
  it('counts from now, and takes a clock that was set back for now', () => {
    const now = Date.parse('2026-01-02T00:00:00Z');
    expect(ago('2026-01-01T00:00:00Z', now)).toBe('24 hours ago');
    expect(ago('2027-01-01T00:00:00Z', now)).toBe('Less than a second ago');
    expect(ago('nonsense', now)).toBe('unknown');
  });
});
