import { describe, expect, it } from 'vitest';
import { progressLine } from '../../../src/cli/progress.ts';

describe('progressLine', () => {
  it('draws a bar in proportion', () => {
    expect(progressLine('importing', 2_000_000, 4_000_000, 80)).toBe(
      `importing  ${'█'.repeat(20)}${'░'.repeat(20)}  2MB of 4MB`,
    );
  });

  it('never fills a line, so that the cursor stays on it', () => {
    for (let width = 10; width < 100; width++) {
      expect([...progressLine('importing', 9_990_000, 1e9, width)].length).toBeLessThan(width);
      expect([...progressLine('importing', 2e9, 1e9, width)].length).toBeLessThan(width);
    }
  });

  it('only counts where the end is not known', () => {
    expect(progressLine('importing', 2_500_000, undefined, 80)).toBe('importing  2.5MB');
  });
});
