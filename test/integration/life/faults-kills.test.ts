import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectNothingLeft, leftovers, makePlace } from '../../fixtures/leftovers.ts';
import { Random } from '../../fixtures/random.ts';
import { printed, tsbox } from '../../fixtures/tsbox.ts';
import { interfaces } from '../support/leftovers.ts';
import { describeRoot } from '../support/tsbox.ts';
import { anyCommand, companions, cutShort, type End, untruths } from './chaos.ts';

/** TSBOX_FAULTS_KILLS=20000 for a night's work, 1000 for two minutes; TSBOX_FAULTS_SEED repeats the same commands and moments. */
const KILLS = Number(process.env.TSBOX_FAULTS_KILLS ?? 300);
const SEED = Number(process.env.TSBOX_FAULTS_SEED ?? Date.now() % 1_000_000_000);
const AT_ONCE = 8;
const A_ROUND = 100;

describeRoot('kill -9 of any command and any monitor at any moment', () => {
  const place = makePlace();
  beforeAll(() => void printed(place, 'busybox', 'true'));
  afterAll(() => {
    for (const pid of companions(place)) process.kill(pid, 'SIGKILL');
    place.remove();
  });

  test(`${KILLS} times, seed ${SEED}: the state is right each time, and nothing is left`, {
    timeout: 120_000 + KILLS * 1000,
  }, async () => {
    console.info(`TSBOX_FAULTS_SEED=${SEED}`);
    const random = new Random(SEED);
    const faults: string[] = [];
    let kills = 0;
    const judge = ({ args, killed, status, stderr }: End) => {
      if (killed) kills++;
      // A fault of ours is not what it is when a container is not there, or not in the state for it.
      if (/unexpected error|undefined|NaN|\[object|at .*\.cjs:/.test(stderr))
        faults.push(`${args.join(' ')}: ${stderr}`);
      if (!killed && status === null) faults.push(`${args.join(' ')}: ended by a signal`);
    };
    const worker = async (end: number) => {
      while (kills < end) {
        judge(await cutShort(place, anyCommand(place, random), 30 + random.below(500)));
        const others = random.below(4) === 0 ? companions(place) : [];
        if (others.length > 0) kills += kill(random.pick(others));
      }
    };
    while (kills < KILLS) {
      const end = Math.min(kills + A_ROUND, KILLS);
      await Promise.all(Array.from({ length: AT_ONCE }, () => worker(end)));
      expect(tsbox(place, ['system', 'sweep'])).toMatchObject({ status: 0, stderr: '' });
      expect(tsbox(place, ['ps', '-a'])).toMatchObject({ status: 0, stderr: '' });
      // Restarts and ends of containers go on.
      for (const limit = Date.now() + 10_000; untruths(place).length > 0 && Date.now() < limit; )
        await sleep(100);
      expect({ untruths: untruths(place), faults }).toEqual({ untruths: [], faults: [] });
    }
    const ids = tsbox(place, ['ps', '-aq', '--no-trunc']).stdout.split('\n').filter(Boolean);
    if (ids.length > 0)
      expect(tsbox(place, ['rm', '-f', '-v', ...ids])).toMatchObject({ status: 0, stderr: '' });
    expect(tsbox(place, ['system', 'sweep'])).toMatchObject({ status: 0, stderr: '' });
    await expectNothingLeft(place);
    expect(leftovers(place)).toEqual([]);
    for (const name of ['net0', 'net1']) tsbox(place, ['network', 'rm', '-f', name]);
    // What of a namespace is gone the kernel takes away a moment later.
    for (const limit = Date.now() + 5000; interfaces().length > 2 && Date.now() < limit; ) await sleep(20);
    // The bridge of the default network stays.
    expect(interfaces().sort()).toEqual(['lo', 'tsbox0']);
    const rules = execFileSync('nft', ['list', 'table', 'inet', 'tsbox'], { encoding: 'utf8' });
    expect(rules).not.toContain('container-');
    expect(readdirSync(join(place.root, 'images')).filter((name) => name.startsWith('.unfinished'))).toEqual(
      [],
    );
  });
});

function kill(pid: number): number {
  try {
    process.kill(pid, 'SIGKILL');
    return 1;
  } catch {
    return 0; // it has just ended
  }
}
