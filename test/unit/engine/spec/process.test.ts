import { describe, expect, it } from 'vitest';
import { refusal } from '../fake-host.ts';
import { build } from './alpine.ts';

describe('the command', () => {
  const image = { Entrypoint: ['/entry', 'e'], Cmd: ['c1', 'c2'] };
  it.each([
    [undefined, [], ['/entry', 'e', 'c1', 'c2']],
    [undefined, ['x', 'y'], ['/entry', 'e', 'x', 'y']],
    ['/other', [], ['/other']],
    ['/other', ['x'], ['/other', 'x']],
    [['/other', '-a'], ['x'], ['/other', '-a', 'x']],
    ['', ['x'], ['x']],
    [[], ['x'], ['x']],
    [[''], ['x'], ['x']],
  ])('entrypoint %j, command %j: %j', (entrypoint, command, args) => {
    expect(build({ entrypoint }, { config: image, command }).spec.process.args).toEqual(args);
  });

  it('is missing', () => {
    const message = 'no command given and the image has none';
    expect(refusal(() => build({}, { config: {} }), 'NO_COMMAND')).toBe(message);
    expect(refusal(() => build({}, { config: { Entrypoint: null, Cmd: [] } }), 'NO_COMMAND')).toBe(message);
    expect(refusal(() => build({ entrypoint: '' }, { config: image }), 'NO_COMMAND')).toBe(message);
    expect(refusal(() => build({}, { command: ['a\0b'] }))).toContain('NUL');
  });
});

describe('the environment', () => {
  const own = {
    host: { environment: { MINE: 'mine', EDITOR: 'ed' }, texts: { env: 'A=file\nB=file\nMINE\nNOT\n' } },
  };
  const env = (options: object, config: object = { Cmd: ['x'] }) =>
    build(options, { ...own, config }).spec.process.env;

  it('goes from the default to the particular', () => {
    const config = { Cmd: ['x'], Env: ['PATH=/image', 'A=image', 'C=image', 'EMPTY=', 'no value', '=x'] };
    expect(env({ tty: true, envFile: ['env'], env: { B: 'flag', C: 'a=b' } }, config)).toEqual([
      'PATH=/image',
      'HOSTNAME=f00dcafe1234',
      'TERM=xterm',
      'A=file',
      'C=a=b',
      'EMPTY=',
      'B=flag',
      'MINE=mine',
      'HOME=/root',
    ]);
  });

  it('takes a name alone from tsbox’s own, or takes it away', () => {
    const config = { Cmd: ['x'], Env: ['EDITOR=vi', 'GONE=x'] };
    expect(env({ env: { EDITOR: undefined, GONE: undefined } }, config)).toEqual([
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      'HOSTNAME=f00dcafe1234',
      'EDITOR=ed',
      'HOME=/root',
    ]);
  });

  it('keeps a HOME that was given, and finds the user’s', () => {
    expect(env({ env: { HOME: '/h' } })).toContain('HOME=/h');
    expect(env({ user: 'guest' })).toContain('HOME=/dev/null');
    expect(env({ user: '1234' })).toContain('HOME=/');
  });

  it('refuses what is none', () => {
    expect(refusal(() => env({ env: { '': 'x' } }))).toContain('needs a name');
    expect(refusal(() => env({ env: { 'A=B': 'x' } }))).toContain('needs a name');
    expect(refusal(() => env({ env: { A: 'x\0y' } }))).toContain('NUL');
    expect(refusal(() => env({ envFile: ['nowhere'] }))).toBe('--env-file nowhere: the file cannot be read');
  });
});

describe('the user', () => {
  it('is the image’s unless another was asked for', () => {
    const config = { Cmd: ['x'], User: 'guest' };
    expect(build({}, { config }).spec.process.user).toEqual({
      uid: 405,
      gid: 100,
      additionalGids: [100, 27],
    });
    expect(build({ user: '0:5', groupAdd: ['video', 9] }, { config }).spec.process.user).toEqual({
      uid: 0,
      gid: 5,
      additionalGids: [5, 27, 9],
    });
    expect(refusal(() => build({ user: 'ada' }), 'NO_USER')).toBe(
      'unable to find user ada: no matching entries in passwd file',
    );
  });

  it('has no capability but root’s, and never an inheritable one: CVE-2022-24769', () => {
    const capabilities = build({ user: 'guest', capAdd: ['NET_ADMIN'] }).spec.process.capabilities;
    expect(capabilities?.bounding).toHaveLength(15);
    expect(capabilities).toMatchObject({ effective: [], permitted: [], inheritable: [], ambient: [] });
    expect(build({ privileged: true }).spec.process.capabilities).toMatchObject({
      inheritable: [],
      ambient: [],
    });
  });
});

describe('the working directory', () => {
  it.each([
    [undefined, undefined, '/'],
    [undefined, '/srv/', '/srv'],
    [undefined, 'srv/../app', '/app'],
    [undefined, '../..', '/'],
    ['/a//b/', '/srv', '/a/b'],
    ['', '/srv', '/srv'],
  ])('asked %j, image %j: %s', (workdir, WorkingDir, cwd) => {
    expect(build({ workdir }, { config: { Cmd: ['x'], WorkingDir } }).spec.process.cwd).toBe(cwd);
  });
  it('must be absolute where it was asked for', () => {
    expect(refusal(() => build({ workdir: 'srv' }))).toBe(
      '--workdir srv: must be an absolute path; right would be: --workdir /srv',
    );
  });
});

describe('limits and privilege of the process', () => {
  const limits = (hard: string) => ({
    host: { texts: { '/proc/self/limits': `Max open files  ${hard}  ${hard}  files\n` } },
  });

  it('gives back the soft limit of open files that Node raised', () => {
    expect(build({}, limits('512')).spec.process.rlimits).toEqual([
      { type: 'RLIMIT_NOFILE', soft: 512, hard: 512 },
    ]);
    expect(build({}, limits('unlimited')).spec.process.rlimits).toEqual([
      { type: 'RLIMIT_NOFILE', soft: 1024, hard: -1 },
    ]);
    expect(build({}).spec.process.rlimits).toEqual([]);
  });
  it('takes the last of a kind', () => {
    const { rlimits } = build({ ulimits: ['nofile=5', 'core=0', 'nofile=6:7'] }, limits('512')).spec.process;
    expect(rlimits).toEqual([
      { type: 'RLIMIT_NOFILE', soft: 6, hard: 7 },
      { type: 'RLIMIT_CORE', soft: 0, hard: 0 },
    ]);
  });
  it('has a terminal, an OOM score and no new privileges where asked', () => {
    const { process } = build({ tty: true, oomScoreAdj: -500, securityOpt: ['no-new-privileges'] }).spec;
    expect(process).toMatchObject({ terminal: true, oomScoreAdj: -500, noNewPrivileges: true });
    expect(build({}).spec.process).not.toHaveProperty('oomScoreAdj');
    expect(refusal(() => build({ oomScoreAdj: 1001 }))).toContain('--oom-score-adj 1001');
  });
  it('has an AppArmor profile only where the host has AppArmor', () => {
    const on = { host: { texts: { '/sys/module/apparmor/parameters/enabled': 'Y\n' } } };
    expect(build({ securityOpt: ['apparmor=mine'] }, on).spec.process.apparmorProfile).toBe('mine');
    expect(build({ securityOpt: ['apparmor=unconfined'] }).spec.process.apparmorProfile).toBeUndefined();
    expect(refusal(() => build({ securityOpt: ['apparmor=mine'] }))).toContain('AppArmor is not enabled');
  });
  it('knows when to stop', () => {
    expect(build({ stopSignal: 'QUIT', stopTimeout: 3 })).toMatchObject({ stopSignal: 3, stopTimeout: 3 });
    expect(build({}, { config: { Cmd: ['x'], StopSignal: 'SIGINT' } }).stopSignal).toBe(2);
    expect(build({}, { config: { Cmd: ['x'], StopSignal: 'SIGNONSENSE' } }).stopSignal).toBe(15);
    expect(refusal(() => build({ stopSignal: 'NONSENSE' }))).toContain(
      '--stop-signal NONSENSE: no such signal',
    );
    expect(refusal(() => build({ stopTimeout: -2 }))).toContain('--stop-timeout -2');
  });
});

it.each([
  [{ Cmd: 'sh' }, 'a broken Cmd: "sh" is not a list of strings'],
  [{ Cmd: [1] }, 'a broken Cmd'],
  [{ Env: { A: 'b' } }, 'a broken Env'],
  [{ Env: ['A=b\0C=d'] }, 'a broken Env'],
  [{ User: 0 }, 'a broken User'],
  [{ WorkingDir: '/a\0b' }, 'a broken WorkingDir'],
  [{ StopSignal: {} }, 'a broken StopSignal'],
])('refuses an image that says %j', (config, message) => {
  expect(refusal(() => build({}, { config }), 'BAD_IMAGE')).toContain(message);
});
