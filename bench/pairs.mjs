import { setTimeout as sleep } from 'node:timers/promises';
import { median } from './median.mjs';
import { timeContender } from './starts.mjs';

/** Pairs that are not counted: from the third time on there is a kept plan. */
const WARM_UP = 4;
/** Milliseconds between two measurements, in which the kernel takes namespaces apart. */
const REST = 50;

/**
 * Two commands and nothing else, in turn and each first every other time: what one takes more than the other. Beside contenders that fill the caches
 * with other things, both take longer, and not by the same.
 *
 * @returns the median of each, and of the differences within the pairs, in milliseconds
 */
export async function measurePairs(one, other, pairs) {
  const times = { one: [], other: [] };
  for (let pair = -WARM_UP; pair < pairs; pair++) {
    const both = [
      ['one', one],
      ['other', other],
    ];
    if (pair % 2 !== 0) both.reverse();
    for (const [name, contender] of both) {
      const took = await timeContender(contender);
      if (pair >= 0) times[name].push(took);
      await sleep(REST);
    }
  }
  const differences = times.one.map((time, pair) => time - times.other[pair]);
  return {
    pairs,
    one: median(times.one),
    other: median(times.other),
    difference: median(differences),
    best: Math.min(...times.one) - Math.min(...times.other),
  };
}
