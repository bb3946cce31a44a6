import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { leavesNothing } from '../support/leftovers.ts';
import { cli, describeRoot, environment, eventually, image } from '../support/tsbox.ts';
import { monitors, record, removesAll, said } from './support.ts';

const CROWD = Number(process.env.TSBOX_FAULTS_CROWD ?? 200);

async function command(args: string[]): Promise<{ args: string[]; status: number | null; stderr: string }> {
  const child = spawn(cli, args, { env: environment(), stdio: ['ignore', 'ignore', 'pipe'] });
  const [stderr, status] = await Promise.all([
    text(child.stderr),
    new Promise<number | null>((resolve) => child.on('close', resolve)),
  ]);
  return { args, status, stderr };
}

describeRoot(`${CROWD} commands at once`, () => {
  leavesNothing();
  removesAll();

  it('on one container and on many: no deadlock, no lost update, no torn state', {
    timeout: 400_000,
  }, async () => {
    const names = Array.from({ length: 8 }, (_, i) => `box-${i}`);
    const ids = names.map((name) => said('run', '-d', '--name', name, image, 'sleep', '1000'));
    const kinds: ((i: number) => string[])[] = [
      () => ['pause', 'box-0'],
      () => ['unpause', 'box-0'],
      () => ['restart', '-t', '0', 'box-0'],
      () => ['exec', 'box-0', 'true'],
      () => ['ps', '-a'],
      // Two changes of one record by two commands: neither may be lost.
      (i) => ['update', '--restart', 'on-failure:7', ids[1 + (i % 7)] as string],
      (i) => ['rename', `box-${1 + (i % 7)}`, `new-${1 + (i % 7)}`],
      (i) => ['stop', '-t', '0', ids[1 + (i % 7)] as string],
      (i) => ['start', ids[1 + (i % 7)] as string],
      (i) => ['inspect', ids[i % 8] as string],
    ];
    const all = Array.from({ length: CROWD }, (_, i) =>
      (kinds[i % kinds.length] as (i: number) => string[])(Math.floor(i / kinds.length)),
    );
    const results = await Promise.all(all.map(command));
    const expected =
      /^$|is not running|is being started or ended|is already paused|is not paused|is paused|no container|is already used|is called that already|is restarting/;
    for (const result of results) expect(result).toMatchObject({ stderr: expect.stringMatching(expected) });
    for (const [i, id] of ids.entries()) {
      if (i === 0) continue;
      expect(record(id)).toMatchObject({ name: `new-${i}`, options: { restart: 'on-failure:7' } });
    }
    const running = () => said('ps', '-q').split('\n').filter(Boolean).length;
    await eventually(() => monitors().length === running(), 'a monitor for each that runs');
  });
});
