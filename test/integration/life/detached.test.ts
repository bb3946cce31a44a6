import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { leavesNothing } from '../support/leftovers.ts';
import { describeRoot, eventually, image, store, tsbox } from '../support/tsbox.ts';
import { failed, record, removesAll, said, stateOf, statusOf } from './support.ts';

describeRoot('a container in the background', () => {
  leavesNothing();
  removesAll();

  it('prints its id, runs, and its end is known', async () => {
    const id = said(
      'run',
      '-d',
      '--name',
      'web',
      image,
      'sh',
      '-c',
      'while [ ! -e /go ]; do sleep 0.05; done; exit 3',
    );
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    expect(statusOf('web')).toMatch(/^Up /);
    expect(record(id)).toMatchObject({ status: 'running', detached: true, pid: expect.any(Number) });
    said('exec', 'web', 'touch', '/go');
    expect(said('wait', 'web')).toBe('3');
    expect(statusOf('web')).toMatch(/^Exited \(3\) /);
    await eventually(() => record(id).status === 'exited', 'the end on disk');
    expect(record(id)).toMatchObject({ exitCode: 3, oomKilled: false });
    expect(record(id).pid).toBeUndefined();
    expect(said('wait', 'web')).toBe('3');
    expect(said('rm', 'web')).toBe('web');
  });

  it('removes itself with --rm', async () => {
    said('run', '-d', '--rm', '--name', 'gone', image, 'true');
    await eventually(() => stateOf('gone') === 'gone', 'its removal');
    await eventually(() => !existsSync(join(store, 'names', 'gone')), 'the name free');
  });

  it('says how a start failed, and leaves nothing', () => {
    const before = readdirSync(join(store, 'containers'));
    expect(failed(tsbox(['run', '-d', image, 'nosuch']))).toEqual({
      status: 127,
      stderr: "tsbox: cannot run `nosuch`: not found in the image's PATH",
    });
    expect(failed(tsbox(['run', '-d', image, '/etc'])).status).toBe(126);
    expect(failed(tsbox(['run', '-d', '--workdir', 'x', image, 'true'])).status).toBe(125);
    expect(failed(tsbox(['run', '-d', '--rm', '--restart', 'always', image, 'true']))).toEqual({
      status: 125,
      stderr: 'tsbox: conflicting options: --restart and --rm',
    });
    expect(readdirSync(join(store, 'containers'))).toEqual(before);
  });

  it('is made first and started later, more than once, with what it wrote before', () => {
    const id = said(
      'create',
      '--name',
      'job',
      '-e',
      'X=1',
      image,
      'sh',
      '-c',
      'cat /n 2>/dev/null; echo $X >>/n',
    );
    expect(statusOf('job')).toBe('Created');
    expect(said('start', 'job')).toBe('job');
    expect(said('wait', 'job')).toBe('0');
    expect(tsbox(['start', '-a', 'job'])).toEqual({ status: 0, stdout: '1\n', stderr: '' });
    expect(tsbox(['start', '-a', id.slice(0, 12)]).stdout).toBe('1\n1\n');
  });

  it('keeps a container whose later start fails as it was, and says why', () => {
    said('create', '--name', 'broken', image, 'nosuch');
    expect(failed(tsbox(['start', 'broken'])).status).toBe(127);
    expect(stateOf('broken')).toBe('created');
    expect(failed(tsbox(['start', '-a', 'broken'])).status).toBe(127);
  });

  it('takes input with -i at start -a', () => {
    said('create', '-i', '--name', 'cat', image, 'sh', '-c', 'cat; exit 4');
    expect(tsbox(['start', '-ai', 'cat'], { input: 'a\nb\n' })).toEqual({
      status: 4,
      stdout: 'a\nb\n',
      stderr: '',
    });
  });

  it('starting what runs is no mistake', () => {
    said('run', '-d', '--name', 'up', image, 'sleep', '60');
    const before = record(said('ps', '-q', '--no-trunc')).pid;
    expect(said('start', 'up')).toBe('up');
    expect(record(said('ps', '-q', '--no-trunc')).pid).toBe(before);
  });

  it('stops by its stop signal, in its time, and is killed after it', () => {
    const trap = 'trap "exit 7" USR1; echo ready; while :; do sleep 0.05; done';
    said('run', '-d', '--name', 'polite', '--stop-signal', 'USR1', image, 'sh', '-c', trap);
    expect(said('stop', 'polite')).toBe('polite');
    expect(said('wait', 'polite')).toBe('7');
    said('run', '-d', '--name', 'deaf', image, 'sh', '-c', 'trap "" TERM; while :; do sleep 0.05; done');
    expect(said('stop', '-t', '1', 'deaf')).toBe('deaf');
    expect(said('wait', 'deaf')).toBe('137');
    expect(said('stop', 'deaf')).toBe('deaf');
    expect(failed(tsbox(['stop', 'nosuch'])).stderr).toBe('tsbox: there is no container `nosuch`');
  });

  it('gets a signal, or says that it does not run', async () => {
    const trap = 'trap "echo hup" HUP; echo ready; while :; do sleep 0.05; done';
    said('run', '-d', '--name', 'kk', image, 'sh', '-c', trap);
    await eventually(() => said('logs', 'kk') === 'ready', 'its trap');
    expect(said('kill', '-s', 'HUP', 'kk')).toBe('kk');
    await eventually(() => said('logs', 'kk') === 'ready\nhup', 'the signal');
    expect(stateOf('kk')).toBe('running');
    said('kill', 'kk');
    expect(said('wait', 'kk')).toBe('137');
    expect(failed(tsbox(['kill', 'kk'])).stderr).toBe('tsbox: container kk is not running');
  });

  it('restarts', () => {
    const id = said('run', '-d', '--name', 'again', image, 'sh', '-c', 'echo begin; exec sleep 60');
    const { pid } = record(id);
    expect(said('restart', '-t', '0', 'again')).toBe('again');
    expect(record(id)).toMatchObject({ status: 'running', restartCount: 0 });
    expect(record(id).pid).not.toBe(pid);
    expect(said('logs', 'again')).toBe('begin\nbegin');
  });

  it('restarts with --rm and is not lost', async () => {
    said('run', '-d', '--rm', '--name', 'kept', image, 'sleep', '60');
    said('restart', '-t', '0', 'kept');
    expect(stateOf('kept')).toBe('running');
    said('stop', '-t', '0', 'kept');
    await eventually(() => stateOf('kept') === 'gone', 'its removal');
  });

  it('rm wants -f for one that runs', () => {
    said('run', '-d', '--name', 'busy', '--restart', 'always', image, 'sleep', '60');
    expect(failed(tsbox(['rm', 'busy'])).stderr).toBe('tsbox: container busy is running');
    expect(said('rm', '-f', '-v', 'busy')).toBe('busy');
    expect(stateOf('busy')).toBe('gone');
  });

  it('an ambiguous beginning of an id lists the candidates', () => {
    const ids = Array.from({ length: 17 }, () => said('create', image, 'true'));
    const first = ids.map((id) => id[0]);
    const twice = first.find((digit, index) => first.indexOf(digit) !== index) as string;
    const { status, stderr } = failed(tsbox(['start', twice]));
    expect(status).toBe(125);
    for (const id of ids.filter((each) => each.startsWith(twice))) expect(stderr).toContain(id.slice(0, 12));
  });

  it('ps shows some of them', () => {
    said('run', '-d', '--name', 'web-1', '-l', 'tier=front', image, 'sleep', '60');
    said('create', '--name', 'web-2', '-l', 'tier=back', image, 'true');
    said('create', '--name', 'db', image, 'false');
    said('start', 'db');
    said('wait', 'db');
    const names = (...args: string[]) =>
      said('ps', '--format', '{{.Names}}', ...args)
        .split('\n')
        .sort()
        .join(' ');
    expect(names()).toBe('web-1');
    expect(names('-a')).toBe('db web-1 web-2');
    expect(names('-a', '-f', 'name=web')).toBe('web-1 web-2');
    expect(names('--filter', 'status=created')).toBe('web-2');
    expect(names('-f', 'exited=1')).toBe('db');
    expect(names('-f', 'exited=0')).toBe('');
    expect(names('-a', '-f', 'label=tier', '-f', 'label=tier=back')).toBe('web-2');
    expect(names('-a', '-f', `ancestor=${image}`, '-f', 'name=^d')).toBe('db');
    expect(names('-l')).toBe('db');
    expect(names('-n', '2')).toBe('db web-2');
    expect(failed(tsbox(['ps', '-f', 'colour=red'])).stderr).toMatch(
      /^tsbox: --filter "colour=red": not KEY=VALUE/,
    );
  });
});
