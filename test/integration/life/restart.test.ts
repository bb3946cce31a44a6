import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { leavesNothing } from '../support/leftovers.ts';
import { describeRoot, eventually, image, store, tsbox } from '../support/tsbox.ts';
import { failed, monitors, record, removesAll, said, stateOf, statusOf } from './support.ts';

const fileOf = (id: string) => join(store, 'containers', id, 'container.json');

/** As if the machine had been started since. */
function ofAnotherBoot(id: string): void {
  const text = readFileSync(fileOf(id), 'utf8');
  writeFileSync(fileOf(id), JSON.stringify({ ...JSON.parse(text), bootId: 'another' }));
}

describeRoot('restart policies', () => {
  leavesNothing();
  removesAll();

  it('on-failure starts it again as often as it says', async () => {
    const id = said(
      'run',
      '-d',
      '--name',
      'fails',
      '--restart',
      'on-failure:2',
      image,
      'sh',
      '-c',
      'echo run; exit 4',
    );
    await eventually(
      () => said('logs', 'fails') === 'run\nrun\nrun' && record(id).status === 'exited',
      'three runs',
    );
    expect(record(id)).toMatchObject({ exitCode: 4, restartCount: 2, restartDelay: 200 });
    expect(statusOf('fails')).toMatch(/^Exited \(4\)/);
    said('run', '-d', '--name', 'works', '--restart', 'on-failure', image, 'sh', '-c', 'echo once');
    said('wait', 'works');
    await eventually(() => stateOf('works') === 'exited', 'its end');
    expect(said('logs', 'works')).toBe('once');
  });

  it('always, with longer and longer pauses, until somebody stops it', async () => {
    const id = said(
      'run',
      '-d',
      '--name',
      'loop',
      '--restart',
      'always',
      image,
      'sh',
      '-c',
      'echo run; exit 0',
    );
    await eventually(() => record(id).restartDelay >= 1600, 'a long pause', 30);
    // Nothing but a sleeping monitor is left of it now.
    await eventually(() => monitors().length === 1 && record(id).status === 'restarting', 'the pause', 10);
    expect(statusOf('loop')).toMatch(/^Restarting \(0\)/);
    expect(said('ps', '-q')).toBe(id.slice(0, 12));
    said('stop', 'loop');
    expect(stateOf('loop')).toBe('exited');
    await eventually(() => monitors().length === 0, 'no monitor');
    expect(record(id)).toMatchObject({ status: 'exited', exitCode: 0, stopRequested: true });
    said('start', 'loop');
    expect(record(id).restartCount).toBeLessThan(2);
  });

  it('a program that is killed in it is started again, a container that is killed is not', async () => {
    const id = said('run', '-d', '--name', 'hard', '--restart', 'unless-stopped', image, 'sleep', '60');
    const { pid } = record(id);
    process.kill(pid, 'SIGKILL');
    await eventually(() => record(id).status === 'running' && record(id).pid !== pid, 'its restart');
    said('kill', 'hard');
    await eventually(() => record(id).status === 'exited', 'its end');
    expect(record(id).exitCode).toBe(137);
  });

  it('rm -f of one that waits', async () => {
    const id = said('run', '-d', '--name', 'waits', '--restart', 'always', image, 'false');
    await eventually(
      () => record(id).status === 'restarting' && record(id).restartDelay > 1000,
      'a pause',
      30,
    );
    expect(said('rm', '-f', 'waits')).toBe('waits');
    expect(stateOf('waits')).toBe('gone');
  });

  it('holds also where the monitor was killed, or who waits for the restart', async () => {
    const id = said('run', '-d', '--name', 'robust', '--restart', 'always', image, 'sleep', '60');
    const { pid } = record(id);
    process.kill(record(id).monitor.pid, 'SIGKILL');
    await eventually(() => stateOf('robust') === 'running' && record(id).pid !== pid, 'its restart');
    expect(record(id).restartCount).toBe(1);
    // Paused, and its next pause is long enough for a look.
    said('pause', 'robust');
    const held = record(id);
    writeFileSync(fileOf(id), JSON.stringify({ ...held, restartDelay: 20_000 }));
    process.kill(held.monitor.pid, 'SIGKILL');
    await eventually(() => statusOf('robust').startsWith('Restarting (137)'), 'its end');
    await eventually(() => monitors().length === 1, 'who waits');
    process.kill(monitors()[0] as number, 'SIGKILL');
    await eventually(() => monitors().length === 0, 'nobody who waits');
    expect(statusOf('robust')).toMatch(/^Restarting \(137\)/);
    await eventually(() => monitors().length === 1, 'another who waits');
    expect(said('stop', 'robust')).toBe('robust');
    expect(record(id)).toMatchObject({ status: 'exited', exitCode: 137, restartCount: 2 });
    await eventually(() => monitors().length === 0, 'nobody who waits');
    // What was stopped stays so.
    said('start', 'robust');
    said('kill', '-s', 'TERM', 'robust');
    process.kill(record(id).monitor.pid, 'SIGKILL');
    await eventually(() => statusOf('robust').startsWith('Exited (137)'), 'its end');
  });

  it('refuses what is none', () => {
    expect(failed(tsbox(['run', '-d', '--restart', 'sometimes', image, 'true']))).toEqual({
      status: 125,
      stderr: 'tsbox: --restart "sometimes": not no, on-failure[:MAXIMUM], always or unless-stopped',
    });
    expect(failed(tsbox(['create', '--restart', 'always:3', image, 'true'])).status).toBe(125);
  });

  it('system start brings back what is promised, and nothing else', async () => {
    const make = (name: string, policy: string) =>
      said('run', '-d', '--name', name, '--restart', policy, image, 'sleep', '60');
    const ids = { always: make('always', 'always'), unless: make('unless', 'unless-stopped') };
    make('never', 'no');
    const stopped = make('stopped', 'unless-stopped');
    make('asked', 'always');
    said('stop', '-t', '0', 'stopped', 'asked');
    // As a boot would leave it: monitors and containers gone without a word.
    for (const pid of monitors()) process.kill(pid, 'SIGKILL');
    await eventually(() => monitors().length === 0, 'their end');
    for (const id of Object.values(ids)) ofAnotherBoot(id);
    expect(statusOf('always')).toMatch(/^Exited \(137\)/);
    expect(said('system', 'start').split('\n').sort()).toEqual(['always', 'asked', 'unless'].sort());
    expect(Object.values(ids).map((id) => record(id).status)).toEqual(['running', 'running']);
    expect(record(stopped).status).toBe('exited');
    expect(stateOf('never')).toBe('exited');
    expect(said('system', 'start')).toBe('');
  });

  it('system stop and start are a shutdown and a boot', async () => {
    const make = (name: string, policy: string) =>
      said('run', '-d', '--name', name, '--stop-timeout', '0', '--restart', policy, image, 'sleep', '60');
    make('comes-back', 'unless-stopped');
    make('stays', 'no');
    make('was-stopped', 'unless-stopped');
    said('stop', 'was-stopped');
    expect(said('system', 'stop').split('\n').sort()).toEqual(['comes-back', 'stays']);
    await eventually(() => monitors().length === 0, 'no monitor');
    expect(said('system', 'start')).toBe('comes-back');
    expect(stateOf('comes-back')).toBe('running');
  });
});
