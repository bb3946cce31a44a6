import { describe, expect, it } from 'vitest';
import { healthCheck, startingInterval } from '../../../src/engine/health/config.ts';
import { refusal } from './fake-host.ts';

const image = { Test: ['CMD', '/check', 'it'], Interval: 5_000_000_000, Timeout: 1_500_000_000, Retries: 7 };

describe('healthCheck', () => {
  it('is the image’s, with its times in nanoseconds', () => {
    expect(healthCheck({}, image)).toEqual({
      test: ['/check', 'it'],
      interval: 5000,
      timeout: 1500,
      retries: 7,
      startPeriod: 0,
    });
    expect(healthCheck({}, { Test: ['CMD-SHELL', 'test -e /x'] })).toEqual({
      test: ['/bin/sh', '-c', 'test -e /x'],
      interval: 30_000,
      timeout: 30_000,
      retries: 3,
      startPeriod: 0,
    });
  });
  it('is what was asked for, where something was', () => {
    const asked = {
      healthCmd: 'x',
      healthInterval: '1m30s',
      healthTimeout: '250ms',
      healthRetries: 1,
      healthStartPeriod: '2h',
    };
    expect(healthCheck(asked, image)).toEqual({
      test: ['/bin/sh', '-c', 'x'],
      interval: 90_000,
      timeout: 250,
      retries: 1,
      startPeriod: 7_200_000,
    });
    expect(healthCheck({ noHealthcheck: true }, image)).toBeUndefined();
  });
  it('is due sooner while the container starts', () => {
    const within = (more: object, own: object = {}) =>
      startingInterval(healthCheck({ healthCmd: 'x', ...more }, own) as never);
    expect(within({})).toBe(30_000);
    expect(within({ healthStartInterval: '1s' })).toBe(30_000);
    expect(within({ healthStartPeriod: '1m' })).toBe(5000);
    expect(within({ healthStartPeriod: '1m', healthInterval: '2s' })).toBe(2000);
    expect(within({ healthStartPeriod: '1m', healthStartInterval: '250ms' })).toBe(250);
    expect(within({}, { StartPeriod: 60_000_000_000, StartInterval: 3_000_000_000 })).toBe(3000);
  });
  it.each([
    undefined,
    null,
    [],
    'x',
    {},
    { Test: ['NONE'] },
    { Test: ['CMD'] },
    { Test: [] },
    { Test: 'true' },
    { Test: ['CMD', 1] },
    { Test: ['WHAT', 'x'] },
  ])('is none for an image that says %j', (given) => {
    expect(healthCheck({}, given)).toBeUndefined();
  });
  it('takes no time of an image that is none', () => {
    const odd = { ...image, Interval: -1, Timeout: 1e30, Retries: '3', StartPeriod: 'x' };
    expect(healthCheck({}, odd)).toMatchObject({
      interval: 30_000,
      timeout: 30_000,
      retries: 3,
      startPeriod: 0,
    });
  });
  it.each(['', '5', '-1s', '1d', '0.1ms', '1000h', 's'])('refuses %j for a time', (healthInterval) => {
    expect(refusal(() => healthCheck({ healthCmd: 'x', healthInterval }, {}))).toContain('--health-interval');
  });
});
