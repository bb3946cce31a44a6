import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { leavesNothing } from '../support/leftovers.ts';
import { describeRoot, eventually, image, store, tsbox } from '../support/tsbox.ts';
import { record, removesAll, said, stateOf, statusOf } from './support.ts';

const directory = (id: string) => join(store, 'containers', id);

function rewrite(id: string, changes: object): void {
  writeFileSync(join(directory(id), 'container.json'), `${JSON.stringify({ ...record(id), ...changes })}\n`);
}

/** A process that has the lock of a file, and hangs. */
async function hangingHolder(file: string): Promise<ChildProcess> {
  const child = spawn('flock', ['--no-fork', file, 'sh', '-c', 'echo locked; exec sleep 1000'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout as NodeJS.ReadableStream, 'data');
  return child;
}

describeRoot('a lock that somebody has and does not give back', () => {
  leavesNothing();
  removesAll();

  const refused = (args: string[]) => {
    const began = performance.now();
    const { status, stderr } = tsbox(args, { env: { TSBOX_LOCK_TIMEOUT: '0.5' } });
    expect(performance.now() - began).toBeLessThan(20_000);
    expect({ args, status, stderr: stderr.replaceAll(/\d{2,}/g, 'N') }).toEqual({
      args,
      status: 125,
      stderr: expect.stringMatching(
        / is locked: process N \((flock|sh|sleep) .*\) has had it for 0\.5 s\n {2}if that process hangs/,
      ),
    });
  };

  it('is named: the state of a container', async () => {
    const id = said('run', '-d', '--name', 'held', image, 'sleep', '1000');
    const holder = await hangingHolder(join(directory(id), 'state.lock'));
    for (const args of [
      ['pause', 'held'],
      ['rename', 'held', 'other'],
      ['update', '--restart', 'always', 'held'],
      ['exec', 'held', 'true'],
    ])
      refused(args);
    // Who only looks waits for nobody, and who wants it to end has no need of the record.
    expect(stateOf('held')).toBe('running');
    expect(said('inspect', '--format', '{{.State.Status}}', 'held')).toBe('running');
    const env = { TSBOX_LOCK_TIMEOUT: '0.5' };
    expect(tsbox(['kill', 'held'], { env })).toMatchObject({ status: 0, stderr: '' });
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    await eventually(() => stateOf('held') === 'exited', 'its end');
    expect(said('start', 'held')).toBe('held');
  });

  it('is named: names, volumes, the image store', async () => {
    said('create', '--name', 'named', image, 'true');
    said('volume', 'create', 'kept');
    for (const [file, args] of [
      [join(store, 'names'), ['rename', 'named', 'renamed']],
      [join(store, 'volumes'), ['volume', 'create', 'another']],
      [join(store, 'images'), ['tag', image, 'another']],
    ] as const) {
      const holder = await hangingHolder(file);
      refused([...args]);
      holder.kill('SIGKILL');
      await once(holder, 'exit');
    }
    said('volume', 'rm', 'kept');
    rmSync(join(store, 'volumes'), { recursive: true });
    // It was renamed, and could not give its old name back.
    expect(said('ps', '-a', '--format', '{{.Names}}')).toBe('renamed');
    expect(readdirSync(join(store, 'names'))).toEqual(['renamed']);
  });
});

describeRoot('damaged files', () => {
  leavesNothing();
  removesAll();

  it('of a record: whatever is in it, the one before counts, and that is said once', async () => {
    const id = said('run', '-d', '--name', 'torn', image, 'sleep', '1000');
    said('rename', 'torn', 'whole');
    const file = join(directory(id), 'container.json');
    const text = readFileSync(file, 'utf8');
    for (const garbage of [
      '',
      text.slice(0, 200),
      '\0'.repeat(512),
      'null',
      '[]',
      '{}',
      '"x"',
      '{"id":"x"}',
    ]) {
      writeFileSync(file, garbage);
      const { status, stdout, stderr } = tsbox(['ps', '--format', '{{.ID}} {{.State}}']);
      expect({ garbage, status, stdout }).toEqual({
        garbage,
        status: 0,
        stdout: `${id.slice(0, 12)} running\n`,
      });
      expect(stderr.match(/is damaged; the state before the last change counts/g)?.length).toBe(1);
    }
    // By its id: the name before the last change is nobody's any more.
    expect(tsbox(['stop', '-t', '0', id]).status).toBe(0);
    await eventually(() => record(id).status === 'exited', 'its end');
  });

  it('of an exit status: as if it was not there', async () => {
    const id = said('run', '-d', '--name', 'cut', image, 'sh', '-c', 'exit 7');
    expect(said('wait', 'cut')).toBe('7');
    await eventually(() => record(id).status === 'exited', 'its end');
    for (const rest of ['', '7 ', '7 0 0 17', 'x'.repeat(200), '7 0 0 99999999999999999999999999\n']) {
      writeFileSync(join(directory(id), 'exit'), rest);
      // As if the monitor had been killed before anything was written down.
      rewrite(id, { status: 'running' });
      expect(stateOf('cut')).toBe('exited');
      expect(said('wait', 'cut')).toBe('137');
      expect(record(id)).toMatchObject({ status: 'exited', exitCode: 137 });
    }
  });

  it('of a log: the lines that are whole are shown', () => {
    const id = said('run', '--name', 'log', '-d', image, 'sh', '-c', 'echo one; echo two');
    said('wait', 'log');
    const file = join(directory(id), 'container.log');
    const { length } = readFileSync(file);
    truncateSync(file, length - 3);
    expect(said('logs', 'log')).toBe('one');
    appendFileSync(
      file,
      'x\n\n\0\0\0\n2026-13-45T99:99:99.000000000Z stdout Q text\n2026-11-23T10:00:00.123456789Z stdout F last\n',
    );
    expect(said('logs', 'log').split('\n').at(-1)).toBe('last');
    expect(said('logs', '--tail', '1', 'log')).toBe('last');
  });
});

describeRoot('another boot, and a clock that jumps', () => {
  leavesNothing();
  removesAll();
  const BOOT = '00000000-0000-4000-8000-000000000000';

  it('what ran before the boot has ended, and what its policy promises is started', async () => {
    const ids = ['no', 'always', 'unless-stopped', 'on-failure'].map((restart) =>
      said('run', '-d', '--name', `was-${restart}`, '--restart', restart, image, 'sleep', '1000'),
    );
    for (const id of ids) process.kill(record(id).monitor.pid, 'SIGKILL');
    await eventually(() => ids.every((id) => !existsSync(`/proc/${record(id).pid ?? 0}/exe`)), 'their ends');
    // The PIDs are others' now.
    for (const id of ids)
      rewrite(id, {
        status: 'running',
        bootId: BOOT,
        pid: process.pid,
        pidStart: 1,
        monitor: { pid: process.pid, start: 1 },
      });
    expect(said('ps', '-q')).toBe('');
    expect(said('system', 'start').split('\n').sort()).toEqual(['was-always', 'was-unless-stopped']);
    expect(['no', 'always', 'unless-stopped', 'on-failure'].map((each) => stateOf(`was-${each}`))).toEqual([
      'exited',
      'running',
      'running',
      'exited',
    ]);
  });

  it('times that lie ahead, or long ago, make no age negative and no restart late', async () => {
    const id = said(
      'run',
      '-d',
      '--name',
      'clock',
      '--restart',
      'always',
      image,
      'sh',
      '-c',
      'echo line; exec sleep 1000',
    );
    for (const time of ['2999-01-01T00:00:00.000Z', '1970-01-01T00:00:00.000Z']) {
      rewrite(id, { created: time, started: time });
      expect(statusOf('clock')).toMatch(
        /^Up (Less than a second|\d+ (seconds|minutes|hours|days|weeks|months|years))/,
      );
      expect(said('ps', '--format', '{{.RunningFor}}')).not.toMatch(/-|NaN/);
    }
    rewrite(id, { started: '2999-01-01T00:00:00.000Z', restartDelay: 0 });
    process.kill(record(id).pid, 'SIGKILL');
    await eventually(() => stateOf('clock') === 'running' && record(id).restartCount === 1, 'its restart', 5);
    // It runs before it has said anything.
    await eventually(() => said('logs', '--since', '1h', 'clock') === 'line\nline', 'its second line', 5);
    expect(said('logs', '--since', '2999-01-01', 'clock')).toBe('');
  });
});
