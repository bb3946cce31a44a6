import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { expectNothingLeft, makePlace } from '../../fixtures/leftovers.ts';
import { tsbox } from '../../fixtures/tsbox.ts';

const place = makePlace();
const plans = join(place.root, 'cache', 'plans');

afterEach(() => expectNothingLeft(place));
afterAll(() => place.remove());

/** How large the plans are that are kept, and which files. */
const kept = () =>
  readdirSync(plans).map((name) => {
    const { size, ino } = statSync(join(plans, name));
    return { size, ino };
  });

test('a limit holds with a plan that was kept, and it is said why', () => {
  const hog = 'cat /sys/fs/cgroup/memory.max; exec dd if=/dev/zero of=/dev/null bs=100M count=1 2> /dev/null';
  const run = () => tsbox(place, ['run', '--rm', '-m', '48m', 'busybox', 'sh', '-c', hog]);
  const killed = {
    status: 137,
    stdout: '50331648\n',
    stderr: 'tsbox: killed: out of memory (limit 48 MiB)\n',
  };
  for (let time = 0; time < 2; time++) expect(run()).toMatchObject(killed);
  const before = kept();
  expect(before.map(({ size }) => size > 10_000)).toEqual([true]);
  for (let time = 0; time < 2; time++) expect(run()).toMatchObject(killed);
  expect(kept()).toEqual(before);
});
