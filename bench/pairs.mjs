import { setTimeout as sleep } from 'node:timers/promises';
import { median } from './median.mjs';
import { timeContender } from './starts.mjs';

/** Pairs that are not counted: from the third time on there is a kept plan. */
const WARM_UP = 4;
/** Milliseconds between two measurements, in which the kernel takes namespaces apart. */
const REST = 50;

/**
 * Two things and nothing else, in turn and each first every other time. Beside contenders that fill the caches with other things, both take longer, and
 * not by the same.
 *
 * @param one measures it once
 * @returns what each of the two gave, in the order of the pairs
 */
export async function inPairs(one, other, pairs, { warmUp = WARM_UP, rest = REST } = {}) {
  const results = { one: [], other: [] };
  for (let pair = -warmUp; pair < pairs; pair++) {
    const both = [
      ['one', one],
      ['other', other],
    ];
    if (pair % 2 !== 0) both.reverse();
    for (const [name, measure] of both) {
      const result = await measure();
      if (pair >= 0) results[name].push(result);
      await sleep(rest);
    }
  }
  return results;
}

/**
 * What one takes more than the other.
 *
 * @returns the median of each, and of the differences within the pairs, in milliseconds
 */
export async function measurePairs(one, other, pairs) {
  const measure = (contender) => () => timeContender(contender);
  return differences(await inPairs(measure(one), measure(other), pairs));
}

/** @param times milliseconds of each pair */
export function differences(times) {
  return {
    pairs: times.one.length,
    one: median(times.one),
    other: median(times.other),
    difference: median(times.one.map((time, pair) => time - times.other[pair])),
    best: Math.min(...times.one) - Math.min(...times.other),
  };
}

/** The median of what one is of the other, within the pairs. */
export function ratioOf({ one, other }, value = (result) => result) {
  return median(one.map((result, pair) => value(result) / value(other[pair])));
}
