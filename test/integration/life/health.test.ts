import { expect, test } from 'vitest';
import { describeRoot, eventually, image, Running, tsbox } from '../support/tsbox.ts';
import { makeImage } from './make-image.ts';
import { failed, removesAll, said, statusOf } from './support.ts';

const fast = ['--health-interval', '100ms', '--health-retries', '2'];
const state = (name: string) => said('inspect', '-f', '{{.State.Health.Status}}', name);

describeRoot('health checks', () => {
  removesAll();

  test('say whether a container does what it is for, and when that changes', async () => {
    said(
      'run',
      '-d',
      '--name',
      'web',
      '--health-cmd',
      'echo looked; test -e /ready',
      ...fast,
      image,
      'sleep',
      '100',
    );
    expect(statusOf('web')).toMatch(/^Up .* \((health: starting|unhealthy)\)$/);
    await eventually(() => state('web') === 'unhealthy', 'unhealthy', 20);
    const [{ State }] = JSON.parse(said('inspect', 'web'));
    expect(State.Health.FailingStreak).toBeGreaterThanOrEqual(2);
    expect(State.Health.Log.at(-1)).toMatchObject({ ExitCode: 1, Output: 'looked\n' });
    said('exec', 'web', 'touch', '/ready');
    await eventually(() => statusOf('web').endsWith(' (healthy)'), 'healthy', 20);
    await eventually(
      () => JSON.parse(said('inspect', 'web'))[0].State.Health.Log.length === 5,
      'five results',
      20,
    );
    const format = '{{.Action}}';
    const told = () =>
      said(
        'events',
        '--since',
        '1h',
        '--until',
        '0s',
        '-f',
        'container=web',
        '-f',
        'event=health_status',
        '--format',
        format,
      );
    expect(told()).toBe('health_status: unhealthy\nhealth_status: healthy');
    said('restart', '-t', '0', 'web');
    expect(statusOf('web')).toMatch(/\((health: starting|healthy)\)$/);
  });

  test('that take too long, or cannot be run, fail', async () => {
    said(
      'run',
      '-d',
      '--name',
      'slow',
      '--health-cmd',
      'sleep 50',
      '--health-timeout',
      '100ms',
      ...fast,
      image,
      'sleep',
      '100',
    );
    await eventually(() => state('slow') === 'unhealthy', 'unhealthy', 20);
    const [{ State }] = JSON.parse(said('inspect', 'slow'));
    expect(State.Health.Log[0]).toMatchObject({
      ExitCode: -1,
      Output: 'Health check exceeded timeout (100ms)',
    });
  });

  test('do not count in the start period', async () => {
    said(
      'run',
      '-d',
      '--name',
      'late',
      '--health-cmd',
      'false',
      '--health-start-period',
      '1h',
      ...fast,
      image,
      'sleep',
      '100',
    );
    await eventually(
      () => JSON.parse(said('inspect', 'late'))[0].State.Health.Log.length >= 3,
      'three results',
      20,
    );
    expect(state('late')).toBe('starting');
  });

  test('come sooner until the first that succeeds, with --health-start-interval', async () => {
    const often = ['--health-start-period', '1h', '--health-start-interval', '100ms'];
    const seldom = ['--health-interval', '1h', '--health-cmd', 'test -e /ready'];
    said('run', '-d', '--name', 'soon', ...often, ...seldom, image, 'sleep', '100');
    const count = () => JSON.parse(said('inspect', 'soon'))[0].State.Health.Log.length;
    await eventually(() => count() >= 3, 'three results', 20);
    expect(state('soon')).toBe('starting');
    said('exec', 'soon', 'touch', '/ready');
    await eventually(() => state('soon') === 'healthy', 'healthy', 20);
  });

  test('of a container in the foreground: its tsbox makes them', async () => {
    const flags = ['--name', 'front', '--health-cmd', 'test -e /well', ...fast];
    const running = new Running(flags, ['sh', '-c', 'echo up; exec sleep 100']);
    await running.says('up');
    expect(state('front')).toMatch(/^(starting|unhealthy)$/);
    await eventually(() => state('front') === 'unhealthy', 'unhealthy', 20);
    said('exec', 'front', 'touch', '/well');
    await eventually(() => state('front') === 'healthy', 'healthy', 20);
    expect(said('ps', '--filter', 'health=healthy', '--format', '{{.Names}}')).toBe('front');
    said('stop', '-t', '0', 'front');
    expect((await running.ended).status).toBe(137);
    expect(running.process.exitCode).toBe(137);
  });

  test('without one there is none', () => {
    makeImage('true', 'plain');
    said('run', '-d', '--name', 'plain', '--no-healthcheck', 'plain', 'sleep', '100');
    expect(statusOf('plain')).toMatch(/^Up [^(]*$/);
    expect(JSON.parse(said('inspect', 'plain'))[0].State.Health).toBeUndefined();
    const refused = (...flags: string[]) => failed(tsbox(['create', ...flags, image, 'true'])).stderr;
    expect(refused('--no-healthcheck', '--health-cmd', 'true')).toContain('conflicts with --health-cmd');
    expect(refused('--health-cmd', 'true', '--health-interval', '10')).toContain('not a time from 1ms');
    said('rm', '-f', 'plain');
    said('rmi', 'plain');
  });
});
