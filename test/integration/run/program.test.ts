import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { leavesNothing } from '../support/leftovers.ts';
import { describeRoot, inside, refused, run, scratch } from '../support/tsbox.ts';

describeRoot('who runs the program', () => {
  leavesNothing();

  test.each([
    [[], '0:0'],
    [['-u', 'nobody'], '65534:65534'],
    [['-u', '1234'], '1234:0'],
    [['-u', '1234:5678'], '1234:5678'],
    [['--user', 'nobody:0'], '65534:0'],
    [['-u', ':5'], '0:5'],
  ])('%j: %s', (flags, ids) => {
    expect(inside(flags, 'echo $(id -u):$(id -g)')).toBe(`${ids}\n`);
  });

  test('groups: those of the image, and those of --group-add', () => {
    expect(inside(['-u', '1234:5678'], 'id -G')).toBe('5678\n');
    expect(inside(['-u', '1234', '--group-add', '77', '--group-add', 'root'], 'id -G')).toBe('0 77\n');
    expect(inside(['-u', 'nobody', '--group-add', '42'], 'id -G')).toBe('65534 42\n');
  });

  test('HOME is the user’s', () => {
    expect(inside([], 'echo $HOME')).toBe('/root\n');
    expect(inside(['-u', '1234'], 'echo $HOME')).toBe('/\n');
  });

  test('whoever it is can write to its streams by name', () => {
    const { stdout, stderr } = run(
      ['-u', '1234'],
      ['sh', '-c', 'echo out > /dev/stdout; echo err > /dev/stderr'],
    );
    expect({ stdout, stderr }).toEqual({ stdout: 'out\n', stderr: 'err\n' });
  });

  test('who is not there is refused', () => {
    expect(refused(['-u', 'somebody'])).toBe(
      'tsbox: unable to find user somebody: no matching entries in passwd file',
    );
    expect(refused(['-u', '0:somegroup'])).toMatch(/unable to find group somegroup/);
    expect(refused(['--group-add', 'somegroup'])).toMatch(/unable to find group somegroup/);
    expect(refused(['-u', '4294967295'])).toMatch(/0-2147483647/);
  });
});

describeRoot('where it runs, and in which environment', () => {
  leavesNothing();
  const directory = scratch();
  const file = join(directory, 'env');
  beforeAll(() => writeFileSync(file, '# a comment\nFILE=from file\nBOTH=from file\nPASSED\n\n'));

  test('-w, made where it is not there', () => {
    expect(inside(['-w', '/etc'], 'pwd')).toBe('/etc\n');
    expect(inside(['-w', '/new/place'], 'pwd; stat -c "%a %u" .')).toBe('/new/place\n755 0\n');
    expect(inside(['-w', '/new/../etc/./'], 'pwd')).toBe('/etc\n');
  });

  test('-w: no descriptor of the host can be entered (CVE-2024-21626)', () => {
    for (const fd of [3, 5, 7, 8, 9]) {
      const { status, stdout } = run(
        ['-w', `/proc/self/fd/${fd}`],
        ['cat', 'etc/shadow', '../etc/shadow', '../../etc/shadow'],
      );
      expect(stdout).toBe('');
      expect(status).not.toBe(0);
    }
  });

  test('nothing of our environment, and no descriptor of ours', () => {
    const env = { SECRET_OF_THE_HOST: 'x', LC_ALL: 'C' };
    expect(run([], ['env'], { env }).stdout.trim().split('\n').sort()).toEqual([
      'HOME=/root',
      expect.stringMatching(/^HOSTNAME=[0-9a-f]{12}$/),
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    ]);
    expect(run([], ['ls', '/proc/self/fd']).stdout).toBe('0\n1\n2\n3\n'); // 3 is that of ls
  });

  test('-e and --env-file: the former wins, and a bare name passes ours on', () => {
    const flags = [
      '-e',
      'BOTH=from flag',
      '--env-file',
      file,
      '-e',
      'EMPTY=',
      '-e',
      'OURS',
      '-e',
      'NOT_SET',
      '-e',
      'A=1=2',
    ];
    const { stdout } = run(flags, ['env'], { env: { OURS: 'ours', PASSED: 'passed' } });
    expect(stdout.split('\n')).toEqual(
      expect.arrayContaining([
        'BOTH=from flag',
        'FILE=from file',
        'EMPTY=',
        'OURS=ours',
        'PASSED=passed',
        'A=1=2',
      ]),
    );
    expect(stdout).not.toContain('NOT_SET');
  });

  test('--env-file is nothing that Node should read', () => {
    const hook = join(directory, 'hook.cjs');
    writeFileSync(hook, "console.log('run on the host')");
    writeFileSync(join(directory, 'hostile'), `NODE_OPTIONS=--require=${hook}\n`);
    expect(inside(['--env-file', join(directory, 'hostile')], 'echo $NODE_OPTIONS')).toBe(
      `--require=${hook}\n`,
    );
  });

  test('--entrypoint', () => {
    expect(run(['--entrypoint', 'echo'], ['a', 'b  c'])).toEqual({
      status: 0,
      stdout: 'a b  c\n',
      stderr: '',
    });
    expect(run(['--entrypoint', ''], ['echo', 'x']).stdout).toBe('x\n');
  });

  test('the program is found as execvp(3) finds it, in the PATH it will have', () => {
    expect(run(['-e', 'PATH=/nowhere:/bin'], ['busybox', 'echo', 'x']).stdout).toBe('x\n');
    expect(run(['-e', 'PATH=/nowhere'], ['busybox'])).toMatchObject({ status: 127 });
    expect(run(['-w', '/bin'], ['./busybox', 'echo', 'x']).stdout).toBe('x\n');
  });

  test('its signals are at their defaults, its umask is 022, its session its own', () => {
    const status = inside(
      [],
      'grep -E "^(SigBlk|SigIgn|SigCgt):" /proc/self/status; umask; cut -d" " -f5,6 /proc/1/stat',
    );
    expect(status.split('\n')).toEqual(
      expect.arrayContaining(['SigBlk:\t0000000000000000', 'SigIgn:\t0000000000000000', '0022', '1 1']),
    );
  });

  test('bad ones are refused', () => {
    expect(refused(['-w', 'relative'])).toMatch(/^tsbox: --workdir.*absolute/);
    expect(refused(['-w', '/etc/passwd'])).toMatch(/\/etc\/passwd/);
    expect(refused(['--env-file', '/not/there'])).toMatch(/--env-file.*\/not\/there/);
    expect(refused(['-e', '=x'])).toMatch(/--env/);
    expect(refused(['-h', 'not a name!'])).toMatch(/--hostname/);
  });

  test('the image’s own command runs where none is given', () => {
    expect(run(['-i'], [], { input: 'echo from $0 in PID $$; exit 3\n' })).toEqual({
      status: 3,
      stdout: expect.stringMatching(/^from \S*sh in PID 1\n$/),
      stderr: '',
    });
  });
});
