import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { leavesNothing } from '../support/leftovers.ts';
import { cli, describeRoot, environment, eventually, image } from '../support/tsbox.ts';
import { monitors, record, removesAll, said, stateOf } from './support.ts';

/** A command and what it says. */
async function command(args: string[]): Promise<{ status: number | null; stderr: string }> {
  const child = spawn(cli, args, { env: environment(), stdio: ['ignore', 'ignore', 'pipe'] });
  const [stderr, status] = await Promise.all([
    text(child.stderr),
    new Promise<number | null>((resolve) => child.on('close', resolve)),
  ]);
  return { status, stderr };
}

describeRoot('a hundred commands at once', () => {
  leavesNothing();
  removesAll();

  it('on one container: no deadlock, no torn state, one winner', { timeout: 240_000 }, async () => {
    const id = said('run', '-d', '--name', 'crowd', image, 'sleep', '600');
    const kinds = [
      ['start'],
      ['stop', '-t', '0'],
      ['restart', '-t', '0'],
      ['kill'],
      ['logs'],
      ['ps', '-a'],
      ['wait'],
    ];
    const commands = Array.from({ length: 100 }, (_, i) => {
      const [name, ...flags] = kinds[i % (kinds.length - 1)] as [string, ...string[]];
      return command(name === 'ps' ? [name, ...flags] : [name, ...flags, 'crowd']);
    });
    const results = await Promise.all(commands);
    for (const { stderr } of results) expect(stderr).toMatch(/^$|is not running|is being started or ended/);
    const state = stateOf('crowd');
    expect(['running', 'exited']).toContain(state);
    await eventually(
      () => monitors().length === (stateOf('crowd') === 'running' ? 1 : 0),
      'one monitor, or none',
    );
    said('start', 'crowd');
    expect(record(id).status).toBe('running');
    said('rm', '-f', 'crowd');
  });

  it('with one name: one gets it', { timeout: 240_000 }, async () => {
    const results = await Promise.all(
      Array.from({ length: 40 }, () => command(['run', '-d', '--name', 'wanted', image, 'sleep', '60'])),
    );
    expect(results.filter(({ status }) => status === 0).length).toBe(1);
    for (const { status, stderr } of results)
      if (status !== 0) expect(stderr).toMatch(/the name `wanted` is already used/);
    expect(monitors().length).toBe(1);
  });
});
