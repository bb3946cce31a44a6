import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { leavesNothing } from '../support/leftovers.ts';
import {
  describeRoot,
  eventually,
  image,
  Running,
  refused,
  run,
  scratch,
  store,
  tsbox,
} from '../support/tsbox.ts';

describeRoot('the life of a container', () => {
  leavesNothing();
  const directory = scratch();
  const named = (name: string, command: string[], flags: string[] = []) =>
    tsbox(['run', '--name', name, ...flags, image, ...command]);
  const rows = (...flags: string[]): Record<string, string>[] =>
    tsbox(['ps', '--format', 'json', ...flags])
      .stdout.split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));

  test('while it runs, ps shows it; with --rm nothing of it is kept', async () => {
    const cidfile = join(directory, 'cid');
    const flags = ['--name', 'test-runs', '--cidfile', cidfile, '--label', 'a=1', '--label', 'bare'];
    const box = new Running(flags, ['sh', '-c', 'trap "exit 0" TERM; echo up; while :; do sleep 0.05; done']);
    await box.says('up');
    const id = readFileSync(cidfile, 'utf8');
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    expect(rows('--no-trunc')).toEqual([
      expect.objectContaining({
        ID: id,
        Names: 'test-runs',
        Image: image,
        State: 'running',
        Labels: 'a=1,bare=',
        Status: expect.stringMatching(/^Up /),
      }),
    ]);
    expect(tsbox(['ps', '-q']).stdout).toBe(`${id.slice(0, 12)}\n`);
    expect(tsbox(['rm', 'test-runs'])).toMatchObject({
      status: 125,
      stderr: expect.stringMatching(/^tsbox: container test-runs is running\n/),
    });
    expect(tsbox(['rmi', image])).toMatchObject({
      status: 125,
      stderr: expect.stringContaining('test-runs'),
    });
    box.process.kill('SIGTERM');
    expect(await box.ended).toMatchObject({ status: 0 });
    expect(rows('-a')).toEqual([]);
    expect(existsSync(join(store, 'containers', id))).toBe(false);
  });

  test('without --rm it is kept, with its exit code, until rm', () => {
    expect(named('test-kept', ['sh', '-c', 'exit 3']).status).toBe(3);
    expect(rows()).toEqual([]);
    expect(rows('-a')).toEqual([
      expect.objectContaining({
        Names: 'test-kept',
        State: 'exited',
        Status: expect.stringMatching(/^Exited \(3\)/),
      }),
    ]);
    expect(tsbox(['ps', '-a']).stdout).toMatch(
      /^CONTAINER ID +IMAGE +COMMAND +CREATED +STATUS +PORTS +NAMES\n[0-9a-f]{12} .*test-kept\n$/,
    );
    expect(tsbox(['rm', 'test-kept'])).toEqual({ status: 0, stdout: 'test-kept\n', stderr: '' });
    expect(rows('-a')).toEqual([]);
    expect(tsbox(['rm', 'test-kept'])).toMatchObject({
      status: 125,
      stderr: expect.stringMatching(/^tsbox: there is no container `test-kept`/),
    });
  });

  test('two cannot have one name; the first is not disturbed', () => {
    named('test-name', ['true']);
    const [first] = rows('-a');
    expect(named('test-name', ['true'])).toMatchObject({
      status: 125,
      stdout: '',
      stderr: expect.stringMatching(
        /^tsbox: the name `test-name` is already used by container [0-9a-f]{12}\n.*tsbox rm test-name/,
      ),
    });
    // Not the whole row, which says how long ago that was.
    expect(rows('-a').map(({ ID }) => ID)).toEqual([first?.ID]);
    expect(tsbox(['rm', first?.ID ?? '']).status).toBe(0);
    expect(named('test-name', ['true'], ['--rm']).status).toBe(0);
  });

  test('rm -f ends it, whose tsbox says 137', async () => {
    const box = new Running(['--name', 'test-forced'], ['sh', '-c', 'echo up; exec sleep 60']);
    await box.says('up');
    expect(tsbox(['rm', '-f', 'test-forced'])).toEqual({ status: 0, stdout: 'test-forced\n', stderr: '' });
    expect((await box.ended).status).toBe(137);
  });

  test('rm of several: what fails does not stop the others', () => {
    for (const name of ['test-a', 'test-b']) named(name, ['true']);
    const { status, stdout, stderr } = tsbox(['rm', 'test-a', 'test-missing', 'test-b']);
    expect({ status, stdout }).toEqual({ status: 125, stdout: 'test-a\ntest-b\n' });
    expect(stderr).toMatch(/^tsbox: there is no container `test-missing`/);
  });

  test('after kill -9 of its tsbox it is there as ended, without --rm', async () => {
    const cidfile = join(directory, 'cid-killed');
    const box = new Running(
      ['--rm=false', '--name', 'test-killed', '--cidfile', cidfile],
      ['sh', '-c', 'echo up; exec sleep 60'],
    );
    await box.says('up');
    box.process.kill('SIGKILL');
    await box.ended;
    await eventually(() => rows('-a')[0]?.State === 'exited', 'ended');
    expect(rows('-a')).toEqual([
      expect.objectContaining({ Names: 'test-killed', Status: expect.stringMatching(/^Exited \(137\)/) }),
    ]);
    expect(tsbox(['rm', 'test-killed']).status).toBe(0);
  });

  test('a failed start keeps no name, no cidfile, nothing', () => {
    const cidfile = join(directory, 'cid-failed');
    for (const flags of [[], ['--rm']]) {
      const { status } = tsbox([
        'run',
        ...flags,
        '--name',
        'test-failed',
        '--cidfile',
        cidfile,
        image,
        'no-such-program',
      ]);
      expect(status).toBe(127);
      expect(existsSync(cidfile)).toBe(false);
      expect(rows('-a')).toEqual([]);
    }
  });

  test('a cidfile that exists, or cannot be made, is refused', () => {
    const cidfile = join(directory, 'cid-there');
    expect(run(['--cidfile', cidfile], ['true']).status).toBe(0);
    const before = readFileSync(cidfile, 'utf8');
    expect(refused(['--cidfile', cidfile])).toMatch(/^tsbox: --cidfile .*exists already/);
    expect(readFileSync(cidfile, 'utf8')).toBe(before);
    expect(refused(['--cidfile', '/no/such/directory/cid'])).toMatch(/^tsbox: --cidfile .*ENOENT|no such/);
  });

  test('bad names are refused', () => {
    for (const name of ['', '../escape', 'a/b', '-x', 'ä', 'x\n']) {
      expect(refused([`--name=${name}`])).toMatch(/--name/);
    }
    expect(refused(['--label', '=x'])).toMatch(/--label/);
  });
});

describeRoot('images', () => {
  test('are listed', () => {
    expect(tsbox(['images']).stdout).toMatch(
      new RegExp(`^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE\\n${image} +latest +[0-9a-f]{12} .*MB\\n$`),
    );
    const [row] = tsbox(['images', '--no-trunc', '--format', 'json']).stdout.split('\n');
    expect(JSON.parse(row ?? '')).toMatchObject({
      Repository: image,
      Tag: 'latest',
      ID: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
    });
  });

  test('can be run by name with tag, by id, and by the beginning of one', () => {
    const id = tsbox(['images', '-q']).stdout.trim();
    for (const name of [`${image}:latest`, id, id.slice(0, 5)]) {
      expect(tsbox(['run', '--rm', name, 'echo', 'x'])).toEqual({ status: 0, stdout: 'x\n', stderr: '' });
    }
  });

  test('one that is not there says so, and how to get it', () => {
    expect(tsbox(['run', '--rm', '--pull', 'never', 'alpne', 'true'])).toEqual({
      status: 125,
      stdout: '',
      stderr: expect.stringMatching(/^tsbox: .*`?alpne.*\n.*tsbox import/),
    });
    expect(tsbox(['rmi', 'no-such-image'])).toMatchObject({
      status: 125,
      stderr: expect.stringContaining('no-such-image'),
    });
    expect(tsbox(['run', '--rm', 'UPPER CASE', 'true'])).toMatchObject({
      status: 125,
      stderr: expect.stringMatching(/^tsbox: /),
    });
  });
});
