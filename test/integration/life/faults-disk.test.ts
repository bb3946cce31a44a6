import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makePlace } from '../../fixtures/leftovers.ts';
import { tsbox as command, type Outcome } from '../../fixtures/tsbox.ts';
import { describeRoot, eventually } from '../support/tsbox.ts';
import { companions } from './chaos.ts';

const place = makePlace();
const tsbox = (...args: string[]) => command(place, args);
const run = (...args: string[]) => tsbox('run', '--cgroup-parent', place.cgroupParent, ...args);

function said(outcome: Outcome): string {
  expect(outcome).toMatchObject({ status: 0, stderr: '' });
  return outcome.stdout.trimEnd();
}

/** Refused in one line, with perhaps one of advice. */
function refused(outcome: Outcome, why: RegExp): void {
  expect(outcome.stderr).toMatch(why);
  expect(outcome.stderr).not.toMatch(/unexpected error/);
  expect(outcome.stderr.trimEnd().split('\n').length).toBeLessThanOrEqual(2);
  expect(outcome.status).toBe(125);
}

const states = () =>
  Object.fromEntries(
    said(tsbox('ps', '-a', '--format', '{{.Names}} {{.State}}'))
      .split('\n')
      .map((line) => line.split(' ')),
  );

const pidOf = (id: string, of: 'monitor' | 'program') => {
  const record = JSON.parse(readFileSync(join(place.root, 'containers', id, 'container.json'), 'utf8'));
  return of === 'monitor' ? record.monitor.pid : record.pid;
};

function mount(...args: string[]): void {
  execFileSync('mount', args);
}

describeRoot('a disk that takes nothing', () => {
  beforeAll(() => {
    mount('-t', 'tmpfs', '-o', 'size=16m', 'none', place.root);
    said(run('--rm', 'busybox', 'true'));
  });
  afterAll(() => {
    for (const pid of companions(place)) process.kill(pid, 'SIGKILL');
    execFileSync('umount', ['-l', place.root]);
    place.remove();
  });

  test('because it is full: what runs can be ended and removed, and nothing is half made', async () => {
    run('-d', '--name', 'web', 'busybox', 'sh', '-c', 'echo one; sleep 1000');
    run('-d', '--name', 'always', '--restart', 'always', 'busybox', 'sleep', '1000');
    const dies = said(run('-d', '--name', 'dies', 'busybox', 'sleep', '1000'));
    run('-d', '--rm', '--name', 'vanishes', 'busybox', 'sleep', '1000');
    fill();
    process.kill(pidOf(dies, 'program'), 'SIGKILL');
    await eventually(() => states().dies === 'exited', 'its end');
    expect(said(tsbox('logs', 'web'))).toBe('one');
    expect(said(tsbox('stop', '-t', '0', 'web'))).toBe('web');
    expect(said(tsbox('wait', 'web'))).toBe('137');
    expect(said(tsbox('kill', 'vanishes'))).toBe('vanishes');
    await eventually(() => states().vanishes === undefined, 'its removal');
    const containers = readdirSync(join(place.root, 'containers')).sort();
    // Whatever room the removal has made is taken again.
    fill();
    for (const args of [
      ['--name', 'new'],
      ['-d', '--name', 'new'],
    ])
      refused(
        run(...args, 'busybox', 'sh', '-c', 'head -c 100000 /dev/zero; exit 0'),
        /No space left|ENOSPC/i,
      );
    refused(tsbox('create', '--name', 'new', 'busybox', 'true'), /ENOSPC/);
    refused(tsbox('commit', 'web', 'new'), /no space is left/);
    expect(readdirSync(join(place.root, 'containers')).sort()).toEqual(containers);
    expect(states()).toEqual({ web: 'exited', always: 'running', dies: 'exited' });
    for (const name of ['web', 'always', 'dies']) expect(said(tsbox('rm', '-f', name))).toBe(name);
    expect(readdirSync(join(place.root, 'containers'))).toEqual([]);
    expect(readdirSync(join(place.root, 'names'))).toEqual([]);
    for (const name of readdirSync(place.root)) if (name.startsWith('fill')) rmSync(join(place.root, name));
    said(run('--rm', 'busybox', 'true'));
  });

  test('because it is read-only: what only reads works, and the rest says why', async () => {
    run('-d', '--name', 'web', 'busybox', 'sh', '-c', 'echo one; sleep 1000');
    run('-d', '--name', 'always', '--restart', 'always', 'busybox', 'sleep', '1000');
    const dead = said(run('-d', '--name', 'dead', 'busybox', 'sleep', '1000'));
    const gone = said(run('-d', '--rm', '--name', 'gone', 'busybox', 'sleep', '1000'));
    const monitors = [dead, gone].map((id) => pidOf(id, 'monitor'));
    mount('--bind', place.root, place.root);
    mount('-o', 'remount,bind,ro', place.root);
    try {
      for (const pid of monitors) process.kill(pid, 'SIGKILL');
      await eventually(() => states().dead === 'exited' && states().gone === undefined, 'their ends');
      expect(states()).toEqual({ web: 'running', always: 'running', dead: 'exited' });
      expect(said(tsbox('logs', 'web'))).toBe('one');
      expect(said(tsbox('inspect', '--format', '{{.State.Status}} {{.State.ExitCode}}', 'dead'))).toBe(
        'exited 137',
      );
      expect(said(tsbox('wait', 'dead'))).toBe('137');
      expect(said(tsbox('exec', 'web', 'echo', 'hi'))).toBe('hi');
      expect(said(tsbox('top', 'web'))).toContain('sleep 1000');
      expect(said(tsbox('stats', '--no-stream', '--format', '{{.Name}}', 'web'))).toBe('web');
      expect(said(tsbox('images', '-q'))).not.toBe('');
      const readOnly = /EROFS|read-only/i;
      refused(run('-d', 'busybox', 'true'), readOnly);
      refused(run('busybox', 'true'), readOnly);
      refused(tsbox('create', 'busybox', 'true'), readOnly);
      refused(tsbox('start', 'dead'), readOnly);
      refused(tsbox('rename', 'web', 'web2'), readOnly);
      refused(tsbox('update', '--restart', 'always', 'web'), readOnly);
      refused(tsbox('commit', 'web', 'new'), readOnly);
      refused(tsbox('rm', '-f', 'dead'), readOnly);
      refused(tsbox('system', 'sweep'), readOnly);
      refused(tsbox('stop', '-t', '0', 'always'), readOnly);
      expect(said(tsbox('stop', '-t', '0', 'web'))).toBe('web');
      expect(states()).toEqual({ web: 'exited', always: 'running', dead: 'exited' });
    } finally {
      execFileSync('umount', [place.root]);
    }
    said(tsbox('system', 'sweep'));
    expect(readdirSync(join(place.root, 'containers')).length).toBe(3);
    for (const name of ['web', 'always', 'dead']) expect(said(tsbox('rm', '-f', name))).toBe(name);
    expect(readdirSync(join(place.root, 'names'))).toEqual([]);
  });
});

/** To the last byte and the last inode. */
function fill(): void {
  for (let at = 0; at < 100; at++) {
    try {
      for (;;)
        writeFileSync(join(place.root, `fill-${Date.now()}-${at}`), Buffer.alloc(at === 0 ? 1 << 20 : 1), {
          flag: 'a',
        });
    } catch {
      if (at > 2) return;
    }
  }
}
