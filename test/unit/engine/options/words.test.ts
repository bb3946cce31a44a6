import { describe, expect, it } from 'vitest';
import {
  checkHostname,
  checkName,
  checkSysctl,
  defaultCapabilities,
  parseCapability,
  parseEnvironment,
  parseEnvironmentFile,
  parseLabel,
  parseSecurityOptions,
  parseSignal,
  parseSysctl,
  parseUlimit,
  resolveCapabilities,
} from '../../../../src/engine/options/index.ts';
import { refusal } from '../fake-host.ts';

describe('names', () => {
  it.each(['web', 'web-1', 'A_b.c', '0a'])('takes %s', (name) => {
    expect(checkName('--name', name)).toBe(name);
  });
  it.each(['', 'a', '.hidden', '-x', '_x', 'a/b', '..', '../x', 'a b', 'a\n', 'a\0b', 'ä1', 'x'.repeat(201)])(
    'refuses %j',
    (name) => {
      expect(refusal(() => checkName('--name', name))).toContain('not a name');
    },
  );
  it.each(['web', 'web-1.example.com', '0', 'a'.repeat(63), 'a.b'])('takes the host name %s', (name) => {
    expect(checkHostname('--hostname', name)).toBe(name);
  });
  it.each([
    '',
    '-a',
    'a-',
    'a..b',
    '.a',
    'a_b',
    'a b',
    'a\n',
    'a'.repeat(64),
    `${'a'.repeat(40)}.${'b'.repeat(40)}`,
  ])('refuses the host name %j', (name) => {
    expect(refusal(() => checkHostname('--hostname', name))).toMatch(/not a host name|longer than/);
  });
});

describe('signals', () => {
  it.each([
    ['TERM', 15],
    ['sigterm', 15],
    ['9', 9],
    ['RTMIN+3', 37],
  ])('%s is %d', (text, number) => {
    expect(parseSignal('--stop-signal', text)).toBe(number);
  });
  it('asks what was meant', () => {
    expect(refusal(() => parseSignal('--stop-signal', 'TREM'))).toBe(
      '--stop-signal TREM: no such signal; did you mean SIGTERM?; right would be: --stop-signal SIGTERM',
    );
    expect(refusal(() => parseSignal('--stop-signal', '65'))).toContain('no such signal');
    expect(refusal(() => parseSignal('--stop-signal', '0'))).toContain('no such signal');
  });
});

describe('environment', () => {
  it('splits at the first =', () => {
    expect(parseEnvironment('-e', 'A=b=c')).toEqual(['A', 'b=c']);
    expect(parseEnvironment('-e', 'A=')).toEqual(['A', '']);
    expect(parseEnvironment('-e', 'A')).toEqual(['A', undefined]);
    expect(parseEnvironment('-e', 'a.b-c d=1')).toEqual(['a.b-c d', '1']);
  });
  it('needs a name, and no NUL', () => {
    expect(refusal(() => parseEnvironment('-e', '=x'))).toContain('needs a name');
    expect(refusal(() => parseEnvironment('-e', ''))).toContain('needs a name');
    expect(refusal(() => parseEnvironment('-e', 'A=b\0C=d'))).toContain('NUL');
  });
  it('reads files as Docker does', () => {
    const text = '\ufeffA=1\r\n\n# a comment\n  # another\n  B="quoted"  \nC=a # no comment\nD\nE\nF=\nA=2';
    expect(
      parseEnvironmentFile('--env-file', 'e', text, (name) => (name === 'D' ? 'own' : undefined)),
    ).toEqual([
      ['A', '1'],
      ['B', '"quoted"  '],
      ['C', 'a # no comment'],
      ['D', 'own'],
      ['F', ''],
      ['A', '2'],
    ]);
  });
  it.each([
    ['A=1\nB B=2', '--env-file e: line 2: the name "B B" has spaces in it'],
    ['=2', '--env-file e: line 1 has no name before the ='],
    ['A=\0', '--env-file e: line 1 holds a NUL character'],
    ['A=\ufffd', '--env-file e: line 1 is not UTF-8'],
  ])('refuses %j', (text, message) => {
    expect(refusal(() => parseEnvironmentFile('--env-file', 'e', text, () => undefined))).toBe(message);
  });
  it('reads labels', () => {
    expect(parseLabel('--label', 'a=b=c d')).toEqual(['a', 'b=c d']);
    expect(parseLabel('--label', 'a')).toEqual(['a', '']);
    expect(refusal(() => parseLabel('--label', 'a b=c'))).toContain('key of a label');
    expect(refusal(() => parseLabel('--label', '=c'))).toContain('key of a label');
  });
});

describe('ulimits', () => {
  it.each([
    ['nofile=1024:4096', 'RLIMIT_NOFILE', 1024, 4096],
    ['nproc=5', 'RLIMIT_NPROC', 5, 5],
    ['core=-1', 'RLIMIT_CORE', -1, -1],
    ['memlock=64:unlimited', 'RLIMIT_MEMLOCK', 64, -1],
    ['CORE=0:infinity', 'RLIMIT_CORE', 0, -1],
  ])('%s', (text, type, soft, hard) => {
    expect(parseUlimit('--ulimit', text)).toEqual({ type, soft, hard });
  });
  it.each([
    ['nofile', 'not of the form'],
    ['nofile=1:2:3', 'not of the form'],
    ['nofiles=1', 'no such limit; did you mean nofile?'],
    ['toString=1', 'no such limit'],
    ['nofile=', 'a limit is a whole number'],
    ['nofile=a', 'a limit is a whole number'],
    ['nofile=-2', 'a limit is a whole number'],
    ['nofile=1.5', 'a limit is a whole number'],
    ['nofile=2:1', 'soft limit is above'],
    ['nofile=-1:1', 'soft limit is above'],
  ])('refuses %s', (text, message) => {
    expect(refusal(() => parseUlimit('--ulimit', text))).toContain(message);
  });
});

describe('sysctls', () => {
  const own = { network: true, ipc: true };
  it.each([
    'net.ipv4.ip_forward',
    'net/ipv4/conf/eth0.100/forwarding',
    'kernel.shmmax',
    'kernel.sem',
    'kernel.shm_rmid_forced',
    'kernel.msgmax',
    'fs.mqueue.msg_max',
  ])('takes %s', (name) => {
    expect(() => checkSysctl('--sysctl', name, '1', own)).not.toThrow();
  });
  it.each([
    'kernel.core_pattern',
    'kernel.hostname',
    'vm.overcommit_memory',
    'fs.file-max',
    'kernel.shmmax.x',
    'net',
    'net.',
    'net..x',
    'net/../kernel/core_pattern',
    'net./../kernel.core_pattern',
    '../x',
    '/net/ipv4/ip_forward',
    'net.ipv4.\0',
    'net.ipv4.ip forward',
    '',
  ])('refuses %j, which is the whole machine’s or no parameter', (name) => {
    expect(refusal(() => checkSysctl('--sysctl', name, '1', own))).toMatch(/not a parameter|NUL/);
  });
  it('refuses what belongs to a namespace that is the host’s', () => {
    expect(
      refusal(() => checkSysctl('--sysctl', 'net.core.somaxconn', '1', { network: false, ipc: true })),
    ).toContain('--network host');
    expect(
      refusal(() => checkSysctl('--sysctl', 'kernel.msgmax', '1', { network: true, ipc: false })),
    ).toContain('--ipc host');
    expect(
      refusal(() => checkSysctl('--sysctl', 'fs.mqueue.msg_max', '1', { network: true, ipc: false })),
    ).toContain('--ipc host');
  });
  it('refuses a second line in a value', () => {
    expect(refusal(() => checkSysctl('--sysctl', 'kernel.msgmax', '1\n2', own))).toContain('one line');
  });
  it('asks what was meant', () => {
    expect(refusal(() => checkSysctl('--sysctl', 'kernel.shmmaxx', '1', own))).toContain(
      'did you mean kernel.shmmax?',
    );
  });
  it('splits', () => {
    expect(parseSysctl('--sysctl', 'kernel.sem=1 2 3=4')).toEqual(['kernel.sem', '1 2 3=4']);
    expect(refusal(() => parseSysctl('--sysctl', 'kernel.sem'))).toContain('not of the form');
  });
});

describe('capabilities', () => {
  it('takes a name with and without CAP_, in any case', () => {
    for (const name of ['NET_ADMIN', 'net_admin', 'CAP_NET_ADMIN', 'cap_net_admin']) {
      expect(parseCapability('--cap-add', name)).toBe('CAP_NET_ADMIN');
    }
    expect(parseCapability('--cap-drop', 'all')).toBe('ALL');
    expect(refusal(() => parseCapability('--cap-add', 'NET_ADMNI'))).toBe(
      '--cap-add NET_ADMNI: no such capability; did you mean CAP_NET_ADMIN?; right would be: --cap-add NET_ADMIN',
    );
  });
  it('keeps Docker’s fourteen by default', () => {
    expect(resolveCapabilities([], [])).toEqual(defaultCapabilities);
    expect(defaultCapabilities).toHaveLength(14);
  });
  it('drops ALL and then adds', () => {
    expect(resolveCapabilities(['CHOWN', 'chown'], ['ALL'])).toEqual(['CAP_CHOWN']);
    expect(resolveCapabilities([], ['ALL'])).toEqual([]);
  });
  it('adds ALL but what is dropped', () => {
    const all = resolveCapabilities(['ALL'], ['SYS_ADMIN']);
    expect(all).toHaveLength(40);
    expect(all).not.toContain('CAP_SYS_ADMIN');
    // Docker's order of questions: ALL added wins over ALL dropped.
    expect(resolveCapabilities(['ALL'], ['ALL'])).toHaveLength(41);
  });
  it('adds to and drops from the default ones', () => {
    const names = resolveCapabilities(['NET_ADMIN', 'KILL'], ['MKNOD']);
    expect(names).toHaveLength(14);
    expect(names).toContain('CAP_NET_ADMIN');
    expect(names).not.toContain('CAP_MKNOD');
  });
});

describe('security options', () => {
  const parse = (...values: string[]) => parseSecurityOptions('--security-opt', values);
  it('are off by default', () => {
    expect(parse()).toEqual({ noNewPrivileges: false, systemPathsUnconfined: false });
  });
  it.each([
    ['no-new-privileges', true],
    ['no-new-privileges:true', true],
    ['no-new-privileges=true', true],
    ['no-new-privileges=false', false],
  ])('%s', (text, value) => {
    expect(parse(text).noNewPrivileges).toBe(value);
  });
  it.each([
    ['seccomp=unconfined', { kind: 'unconfined' }],
    ['seccomp:unconfined', { kind: 'unconfined' }],
    ['seccomp=builtin', { kind: 'default' }],
    ['seccomp=/etc/a=b:c.json', { kind: 'file', path: '/etc/a=b:c.json' }],
  ])('%s', (text, choice) => {
    expect(parse(text).seccomp).toEqual(choice);
  });
  it('reads the others', () => {
    expect(parse('apparmor=unconfined', 'systempaths=unconfined', 'label=disable')).toEqual({
      noNewPrivileges: false,
      apparmor: 'unconfined',
      systemPathsUnconfined: true,
    });
  });
  it.each([
    ['secomp=unconfined', 'did you mean seccomp?'],
    ['no-new-privilege', 'did you mean no-new-privileges?'],
    ['no-new-privileges=maybe', 'neither true nor false'],
    ['seccomp=', 'names no profile'],
    ['seccomp', 'names no profile'],
    ['apparmor=', 'names no profile'],
    ['apparmor=a\nb', 'names no profile'],
    ['systempaths=all', 'can only be unconfined'],
    ['label=type:svirt_t', 'no SELinux labels'],
    ['', 'no such security option'],
    ['=x', 'no such security option'],
  ])('refuses %j', (text, message) => {
    expect(refusal(() => parse(text))).toContain(message);
  });
});
