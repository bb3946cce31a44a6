import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { cli, describeRoot, environment, image, scratch, store, tsbox } from '../support/tsbox.ts';

const COMMANDS = ['run', 'ps', 'rm', 'import', 'images', 'rmi', 'info', 'doctor'];

describeRoot('help and usage', () => {
  test.each(COMMANDS)('%s --help: usage, options, examples', (command) => {
    const { status, stdout, stderr } = tsbox([command, '--help']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`^Usage: tsbox ${command}`));
    expect(stdout).toMatch(/\nExamples:\n( {2}\S.*\n)+$/);
    expect(tsbox(['help', command]).stdout).toBe(stdout);
  });

  test('--help lists them all, and so does nothing at all', () => {
    const { status, stdout } = tsbox(['--help']);
    expect(status).toBe(0);
    for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${command} +\\S`, 'm'));
    expect(tsbox([]).stdout).toBe(stdout);
  });

  test('--version', () => {
    expect(tsbox(['--version'])).toEqual({
      status: 0,
      stdout: expect.stringMatching(/^tsbox \d+\.\d+\.\d+\n$/),
      stderr: '',
    });
  });

  test.each([
    [['rnu', 'alpine'], /did you mean (`?tsbox )?run/],
    [['run', '--memroy', '64m', 'alpine'], /did you mean --memory\?/],
    [['run', '--read-onyl', 'alpine'], /did you mean --read-only\?/],
    [['images', '--formta', 'json'], /did you mean --format\?/],
    [['run'], /image/],
    [['rm'], /container/],
    [['run', '--rm=perhaps', 'alpine'], /true or false/],
  ])('%j: one clear line', (args, said) => {
    const { status, stdout, stderr } = tsbox(args);
    expect({ status, stdout }).toEqual({ status: 125, stdout: '' });
    expect(stderr).toMatch(/^tsbox: /);
    expect(stderr).toMatch(said);
    expect(stderr.trimEnd().split('\n').length).toBeLessThanOrEqual(2);
  });

  test('what follows the image is the program’s', () => {
    expect(tsbox(['run', '--rm', image, 'echo', '--rm', '-it', '--help', '--', '-e'])).toEqual({
      status: 0,
      stdout: '--rm -it --help -- -e\n',
      stderr: '',
    });
  });

  test('Docker’s other spellings', () => {
    const { status, stdout } = tsbox([
      'run',
      '--rm=true',
      '-iu1000:1000',
      '--env=A=1',
      '-eB=2',
      '-w=/etc',
      '--net=none',
      image,
      'sh',
      '-c',
      'id -u; echo $A $B; pwd',
    ]);
    expect({ status, stdout }).toEqual({ status: 0, stdout: '1000\n1 2\n/etc\n' });
  });
});

describeRoot('not as root', () => {
  const directory = scratch();

  /** As nobody, with a copy of the command that nobody can read. */
  function asNobody(args: string[]) {
    const dist = join(directory, 'dist');
    mkdirSync(dist, { recursive: true });
    spawnSync('chmod', ['755', directory]);
    for (const part of ['tsbox.cjs', 'cli.cjs', 'more.cjs', 'native', 'seccomp'])
      cpSync(join(dirname(cli), part), join(dist, part), { recursive: true });
    copyFileSync(join(dirname(cli), '..', 'package.json'), join(directory, 'package.json'));
    cpSync(
      join(import.meta.dirname, '../../../node_modules/@koromix'),
      join(directory, 'node_modules/@koromix'),
      { recursive: true },
    );
    const env = { ...environment(), TSBOX_ROOT: store };
    const { status, stdout, stderr } = spawnSync(
      'setpriv',
      ['--reuid', '65534', '--regid', '65534', '--clear-groups', join(dist, 'tsbox.cjs'), ...args],
      { env, encoding: 'utf8' },
    );
    return { status, stdout, stderr };
  }

  test('run says that it needs root', () => {
    expect(asNobody(['run', '--rm', image, 'true'])).toEqual({
      status: 125,
      stdout: '',
      stderr: 'tsbox: making namespaces, mounts and cgroups needs root\n  run it with sudo\n',
    });
  });

  test('help, version and info need none', () => {
    expect(asNobody(['--version']).status).toBe(0);
    expect(asNobody(['run', '--help'])).toMatchObject({ status: 0, stderr: '' });
    expect(asNobody(['info'])).toMatchObject({ status: 0, stderr: '' });
  });
});
