import { describe, expect, it } from 'vitest';
import { Insistence } from '../../../../src/cli/run/signals.ts';

describe('Insistence', () => {
  it('is the third signal within three seconds', () => {
    const insistence = new Insistence();
    expect([0, 1000, 2000].map((time) => insistence.third(time))).toEqual([false, false, true]);
  });

  it('is not a program that is interrupted now and then', () => {
    const insistence = new Insistence();
    expect([0, 2000, 4000, 6000, 8000].map((time) => insistence.third(time))).toEqual([
      false,
      false,
      false,
      false,
      false,
    ]);
  });
});
