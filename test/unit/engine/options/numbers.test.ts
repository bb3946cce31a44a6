import { describe, expect, it } from 'vitest';
import { parseBytes, parseCpus, parseCpuset, parseInteger } from '../../../../src/engine/options/index.ts';
import { refusal } from '../fake-host.ts';

describe('parseBytes', () => {
  // The values that docker/go-units tests RAMInBytes with.
  it.each([
    ['32', 32],
    ['32b', 32],
    ['32B', 32],
    ['32k', 32768],
    ['32K', 32768],
    ['32kb', 32768],
    ['32Kb', 32768],
    ['32Kib', 32768],
    ['32KIB', 32768],
    ['32Mb', 33554432],
    ['32Gb', 34359738368],
    ['32Tb', 35184372088832],
    ['7Pb', 7881299347898368],
    ['32.3', 32],
    ['32.3 mb', 33869004],
    ['0.3MB', 314572],
    ['1.5g', 1610612736],
    ['64m', 67108864],
    ['0', 0],
    [4096, 4096],
  ])('%s is %d', (text, bytes) => {
    expect(parseBytes('--memory', text)).toBe(bytes);
  });

  it.each([
    '',
    'hello',
    '-32',
    ' 32 ',
    '32m b',
    '32bm',
    '.3kB',
    '1.2.3k',
    '64q',
    '1e3',
    '0x10',
    '6４m',
    '32\n',
    'NaN',
    'Infinity',
  ])('refuses %j', (text) => {
    expect(refusal(() => parseBytes('--memory', text))).toMatch(/^--memory .*not a size/);
  });

  it('names the flag, the value, what is wrong and a right one', () => {
    expect(refusal(() => parseBytes('--memory', '64q'))).toBe(
      '--memory 64q: not a size (a number, and perhaps one of the units b, k, m, g, t, p); right would be: --memory 64m',
    );
  });

  it('refuses what a double does not hold exactly', () => {
    expect(parseBytes('--memory', '9007199254740991')).toBe(Number.MAX_SAFE_INTEGER);
    expect(refusal(() => parseBytes('--memory', '8p'))).toContain('too large');
    expect(refusal(() => parseBytes('--memory', 1e300))).toMatch(/not a size|too large/);
    expect(refusal(() => parseBytes('--memory', '9'.repeat(400)))).toContain('too large');
  });

  it('gives the same for every spelling of a unit, and 1024 times as much for the next', () => {
    let previous = 0;
    for (const unit of ['', 'k', 'm', 'g', 't']) {
      for (const amount of [1, 3, 7.5, 1000]) {
        const bytes = parseBytes('-m', `${amount}${unit}`);
        const spellings =
          unit === ''
            ? ['b', 'B', ' ']
            : [unit, `${unit}b`, `${unit}iB`].flatMap((each) => [each, each.toUpperCase()]);
        for (const spelling of spellings) expect(parseBytes('-m', `${amount}${spelling}`)).toBe(bytes);
        if (amount === 1) {
          if (previous > 0) expect(bytes).toBe(previous * 1024);
          previous = bytes;
        }
      }
    }
  });
});

describe('parseCpus', () => {
  it.each([
    ['0.5', 50000],
    ['.5', 50000],
    ['2', 200000],
    ['2.', 200000],
    ['0.01', 1000],
    ['0.29', 29000],
    ['1.005', 100500],
    [0.57, 57000],
    [1.5, 150000],
  ])('%s CPUs are a quota of %d µs', (text, quota) => {
    expect(parseCpus('--cpus', text, 4)).toBe(quota);
  });

  it('has a quota of cpus × 100000 for every hundredth', () => {
    for (let hundredths = 1; hundredths <= 400; hundredths++) {
      expect(parseCpus('--cpus', (hundredths / 100).toFixed(2), 4)).toBe(hundredths * 1000);
    }
  });

  it('means no limit by 0', () => {
    expect(parseCpus('--cpus', '0', 4)).toBeUndefined();
    expect(parseCpus('--cpus', '0.00', 4)).toBeUndefined();
  });

  it.each(['0.001', '4.01', '5', '1000'])('refuses %s of 4 with the range', (text) => {
    expect(refusal(() => parseCpus('--cpus', text, 4))).toContain(
      'range of CPUs is from 0.01 to 4.00, as there are only 4 CPUs available',
    );
  });

  it.each(['', 'all', '-1', '1/2', '1e1', '.', '1,5'])('refuses %j', (text) => {
    expect(refusal(() => parseCpus('--cpus', text, 4))).toContain('not a number of CPUs');
  });
});

describe('parseCpuset', () => {
  it('reads lists and ranges', () => {
    expect(parseCpuset('--cpuset-cpus', '0-2,4', '0-7\n')).toEqual([0, 1, 2, 4]);
    expect(parseCpuset('--cpuset-cpus', '3,1,1-2', '0-7')).toEqual([1, 2, 3]);
  });

  it('refuses what is not there, as Docker words it', () => {
    expect(refusal(() => parseCpuset('--cpuset-cpus', '1,9', '0-1'))).toBe(
      '--cpuset-cpus 1,9: 9 not available (available: 0-1)',
    );
  });

  it.each(['', 'a', '1-', '-1', '2-1', '0,,1', '0-999999999', '1;2'])('refuses %j', (text) => {
    expect(refusal(() => parseCpuset('--cpuset-cpus', text, '0-7'))).toContain('not a list');
  });
});

describe('parseInteger', () => {
  it('keeps the bounds', () => {
    expect(parseInteger('--oom-score-adj', '-1000', -1000, 1000, '500')).toBe(-1000);
    expect(parseInteger('--oom-score-adj', 1000, -1000, 1000, '500')).toBe(1000);
    expect(refusal(() => parseInteger('--oom-score-adj', 1001, -1000, 1000, '500'))).toBe(
      '--oom-score-adj 1001: not in the range from -1000 to 1000; right would be: --oom-score-adj 500',
    );
    expect(refusal(() => parseInteger('--pids-limit', '1.5', 0, 10, '5'))).toContain('not a whole number');
  });
});
