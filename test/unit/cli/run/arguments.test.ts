import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readRunArguments } from '../../../../src/cli/run/arguments.ts';
import { RUN_FLAGS } from '../../../../src/cli/run/flags.ts';
import { readPlainArguments } from '../../../../src/cli/run/quick.ts';
import type { RunOptions } from '../../../../src/index.ts';

const directory = mkdtempSync(join(tmpdir(), 'tsbox-test-'));
afterAll(() => rmSync(directory, { recursive: true }));

function optionsOf(...args: string[]): RunOptions {
  return readRunArguments([...args, 'alpine']).options;
}

/** Every flag, by every name it has. */
const TABLE: [args: string[], options: RunOptions][] = [
  [['--pull', 'always'], { pull: 'always' }],
  [['--platform', 'linux/arm64'], { platform: 'linux/arm64' }],
  [['-q'], { quiet: true }],
  [['--name', 'web'], { name: 'web' }],
  [['--rm'], { rm: true }],
  [['-l', 'a=b', '--label', 'c', '--label=d=e=f'], { labels: { a: 'b', c: '', d: 'e=f' } }],
  [['--cidfile', '/tmp/id'], { cidfile: '/tmp/id' }],
  [['--restart', 'on-failure:3'], { restart: 'on-failure:3' }],
  [['--health-cmd', 'test -e /x'], { healthCmd: 'test -e /x' }],
  [['--health-interval=5s'], { healthInterval: '5s' }],
  [['--health-timeout', '1m'], { healthTimeout: '1m' }],
  [['--health-retries', '2'], { healthRetries: 2 }],
  [['--health-start-period', '10s'], { healthStartPeriod: '10s' }],
  [['--no-healthcheck'], { noHealthcheck: true }],
  [['--log-driver=none'], { logDriver: 'none' }],
  [
    ['--log-opt', 'max-size=1m', '--log-opt', 'max-file=3'],
    { logOpts: { 'max-size': '1m', 'max-file': '3' } },
  ],
  [['--stop-signal', 'SIGINT'], { stopSignal: 'SIGINT' }],
  [['--stop-timeout', '3'], { stopTimeout: 3 }],
  [['--entrypoint', '/bin/sh'], { entrypoint: '/bin/sh' }],
  [['--entrypoint='], { entrypoint: '' }],
  [['-u', '1000:1000'], { user: '1000:1000' }],
  [['--user=nobody'], { user: 'nobody' }],
  [['--group-add', 'audio', '--group-add', '44'], { groupAdd: ['audio', '44'] }],
  [['-w', '/src'], { workdir: '/src' }],
  [['--workdir', '/src'], { workdir: '/src' }],
  [['-e', 'A=1', '--env', 'B=x=y', '--env=C='], { env: { A: '1', B: 'x=y', C: '' } }],
  [['-e', 'HOME'], { env: { HOME: undefined } }],
  [['--env-file', 'a', '--env-file', 'b'], { envFile: ['a', 'b'] }],
  [['--init'], { init: true }],
  [['-t'], { tty: true }],
  [['--tty'], { tty: true }],
  [['-i'], { interactive: true }],
  [['--interactive'], { interactive: true }],
  [['-it'], { interactive: true, tty: true }],
  [['-m', '64m'], { memory: '64m' }],
  [['-m64m'], { memory: '64m' }],
  [['-m=64m'], { memory: '64m' }],
  [['--memory=1.5g'], { memory: '1.5g' }],
  [['--memory-reservation', '32m'], { memoryReservation: '32m' }],
  [['--memory-swap', '-1'], { memorySwap: '-1' }],
  [['--cpus', '0.5'], { cpus: '0.5' }],
  [['-c', '512'], { cpuShares: 512 }],
  [['--cpu-shares', '512'], { cpuShares: 512 }],
  [['--cpu-weight', '50'], { cpuWeight: 50 }],
  [['--cpu-period', '50000'], { cpuPeriod: 50000 }],
  [['--cpu-quota', '-1'], { cpuQuota: -1 }],
  [['--cpuset-cpus', '0-2,4'], { cpusetCpus: '0-2,4' }],
  [['--cpuset-mems', '0'], { cpusetMems: '0' }],
  [['--pids-limit', '-1'], { pidsLimit: -1 }],
  [['--blkio-weight', '500'], { blkioWeight: 500 }],
  [['--device-read-bps', '/dev/sda:1mb'], { deviceReadBps: ['/dev/sda:1mb'] }],
  [
    ['--device-write-bps', '/dev/sda:1mb', '--device-write-bps=/dev/sdb:2k'],
    { deviceWriteBps: ['/dev/sda:1mb', '/dev/sdb:2k'] },
  ],
  [['--device-read-iops', '/dev/sda:100'], { deviceReadIops: ['/dev/sda:100'] }],
  [['--device-write-iops', '/dev/sda:100'], { deviceWriteIops: ['/dev/sda:100'] }],
  [['--ulimit', 'nofile=1024:2048'], { ulimits: ['nofile=1024:2048'] }],
  [['--oom-score-adj', '-500'], { oomScoreAdj: -500 }],
  [['--cgroup-parent', '/apps'], { cgroupParent: '/apps' }],
  [['-v', '/srv:/data:ro', '--volume=/a:/b'], { volumes: ['/srv:/data:ro', '/a:/b'] }],
  [['--mount', 'type=bind,source=/srv,target=/data'], { mounts: ['type=bind,source=/srv,target=/data'] }],
  [['--tmpfs', '/run:size=16m'], { tmpfs: ['/run:size=16m'] }],
  [['--read-only'], { readOnly: true }],
  [['--shm-size', '128m'], { shmSize: '128m' }],
  [['--device', '/dev/fuse:/dev/fuse:rw'], { devices: ['/dev/fuse:/dev/fuse:rw'] }],
  [['--device-cgroup-rule', 'c 10:* rwm'], { deviceCgroupRules: ['c 10:* rwm'] }],
  [['--network', 'host'], { network: 'host' }],
  [['--net', 'host'], { network: 'host' }],
  [['--net=none'], { network: 'none' }],
  [['--health-start-interval', '1s'], { healthStartInterval: '1s' }],
  [['--network', 'a:ip=10.1.2.3,alias=x', '--net=b'], { network: ['a:ip=10.1.2.3,alias=x', 'b'] }],
  [['--ip', '10.1.2.3', '--ip6=fd00::1'], { ip: '10.1.2.3', ip6: 'fd00::1' }],
  [['--mac-address', '02:42:ac:11:00:02'], { macAddress: '02:42:ac:11:00:02' }],
  [['--network-alias', 'db', '--net-alias=sql'], { networkAlias: ['db', 'sql'] }],
  [['-p', '8080:80', '--publish=127.0.0.1::53/udp'], { publish: ['8080:80', '127.0.0.1::53/udp'] }],
  [['-P'], { publishAll: true }],
  [['--expose', '80', '--expose=53/udp'], { expose: ['80', '53/udp'] }],
  [['--dns', '9.9.9.9', '--dns=fd00::1'], { dns: ['9.9.9.9', 'fd00::1'] }],
  [['--dns-search', '.', '--dns-search', 'example.com'], { dnsSearch: ['.', 'example.com'] }],
  [['--dns-option', 'ndots:2', '--dns-opt=rotate'], { dnsOption: ['ndots:2', 'rotate'] }],
  [['--add-host', 'db:10.1.2.3'], { addHost: ['db:10.1.2.3'] }],
  [['-h', 'box'], { hostname: 'box' }],
  [['--hostname=box'], { hostname: 'box' }],
  [['--domainname', 'example.org'], { domainname: 'example.org' }],
  [['--userns', 'auto'], { userns: 'auto' }],
  [['--pid', 'host'], { pid: 'host' }],
  [['--ipc', 'private'], { ipc: 'private' }],
  [['--uts', 'host'], { uts: 'host' }],
  [['--cgroupns', 'host'], { cgroupns: 'host' }],
  [
    ['--time-offset', 'monotonic=3600', '--time-offset', 'boottime=-60'],
    { timeOffsets: { monotonic: 3600, boottime: -60 } },
  ],
  [['--sysctl', 'net.core.somaxconn=1024'], { sysctls: { 'net.core.somaxconn': '1024' } }],
  [['--cap-add', 'NET_ADMIN', '--cap-add=SYS_TIME'], { capAdd: ['NET_ADMIN', 'SYS_TIME'] }],
  [['--cap-drop', 'ALL'], { capDrop: ['ALL'] }],
  [['--security-opt', 'seccomp=unconfined'], { securityOpt: ['seccomp=unconfined'] }],
  [['--privileged'], { privileged: true }],
];

describe('the flags of tsbox run', () => {
  it.each(TABLE)('%j', (args, options) => {
    expect(optionsOf(...args)).toEqual(options);
  });

  it.each(TABLE)('%j mean the same where they are read without commander', (args) => {
    const all = [...args, 'alpine', 'ls', '--rm'];
    const plain = readPlainArguments(all);
    if (plain === undefined)
      expect(args.some((arg) => /^(-\w(=|\d)|--net(=|$)|--\w.*=)/.test(arg))).toBe(true);
    else expect(plain).toEqual(readRunArguments(all));
  });

  it.each([
    [['--rm=false']],
    [['-m64m']],
    [['--net', 'host']],
    [['--help']],
    [['--explain']],
    [['--memroy', '64m']],
    [['-itZ']],
    [['-im', '64m']],
    [['-m']],
    [['--']],
    [['-']],
  ])('%j are left to commander', (args) => {
    expect(readPlainArguments([...args, ...(args[0] === '-m' ? [] : ['alpine'])])).toBeUndefined();
  });

  it('are all in the table above', () => {
    const tried = new Set(TABLE.flatMap(([, options]) => Object.keys(options)));
    expect(Object.keys(RUN_FLAGS).filter((name) => !tried.has(name))).toEqual([]);
  });

  it('give the last value where there can be one', () => {
    expect(optionsOf('-m', '1g', '--memory=2g', '-e', 'A=1', '-e', 'A=2')).toEqual({
      memory: '2g',
      env: { A: '2' },
    });
  });

  it('can be switched off, as in Docker', () => {
    expect(optionsOf('--rm', '--rm=false', '--init=true', '-t=0', '--read-only=F')).toEqual({
      rm: false,
      init: true,
      tty: false,
      readOnly: false,
    });
  });

  it('keep a variable called __proto__', () => {
    const { env } = optionsOf('-e', '__proto__=x');
    expect(Object.entries(env ?? {})).toEqual([['__proto__', 'x']]);
  });
});

describe('the command line of tsbox run', () => {
  it('gives what follows the image to the command', () => {
    const request = readRunArguments(['-i', 'alpine', 'ls', '-m', '--help', '--', '-x']);
    expect(request.image).toBe('alpine');
    expect(request.command).toEqual(['ls', '-m', '--help', '--', '-x']);
    expect(request.options).toEqual({ interactive: true });
  });

  it('lets -- end the options', () => {
    const request = readRunArguments(['--rm', '--', 'alpine', '-x']);
    expect([request.image, ...request.command]).toEqual(['alpine', '-x']);
  });

  it('does not take the image for the value of --explain', () => {
    expect(readRunArguments(['--explain', 'alpine', 'true'])).toMatchObject({
      explain: 'text',
      image: 'alpine',
      command: ['true'],
    });
    expect(readRunArguments(['--explain=json', 'alpine']).explain).toBe('json');
    expect(readRunArguments(['alpine']).explain).toBeUndefined();
  });

  it('passes signals on unless told not to', () => {
    expect(readRunArguments(['alpine']).sigProxy).toBe(true);
    expect(readRunArguments(['--sig-proxy', 'alpine']).sigProxy).toBe(true);
    expect(readRunArguments(['--sig-proxy=false', 'alpine']).sigProxy).toBe(false);
  });

  it('connects the outputs, and the input with -i', () => {
    expect([...readRunArguments(['alpine']).attach]).toEqual(['stdout', 'stderr']);
    expect([...readRunArguments(['-i', 'alpine']).attach]).toEqual(['stdin', 'stdout', 'stderr']);
    expect([...readRunArguments(['-a', 'stderr', '--attach=STDIN', '-i', 'alpine']).attach]).toEqual([
      'stderr',
      'stdin',
    ]);
  });

  it('reads labels from files, which --label overrides', () => {
    const file = join(directory, 'labels');
    writeFileSync(file, '# a comment\na=1\n\n  b=2\nc\n');
    expect(optionsOf('--label-file', file, '-l', 'b=3').labels).toEqual({ a: '1', b: '3', c: '' });
  });
});

describe('a command line that cannot be meant', () => {
  it.each([
    [['--memroy', '64m', 'alpine'], /^unknown option '--memroy'; did you mean --memory\?$/],
    [['-Z', 'alpine'], /unknown option '-Z'/],
    [['-itZ', 'alpine'], /unknown option '-Z'/],
    [['alpine', '--rm'].slice(1), /missing required argument 'image'/],
    [['-m'], /option '-m, --memory <bytes>' argument missing/],
    [['--pids-limit', 'many', 'alpine'], /^--pids-limit "many": not a whole number$/],
    [['--pid', 'hots', 'alpine'], /^--pid "hots": not private or host; did you mean host\?$/],
    [['-e', '=x', 'alpine'], /^--env "=x": the name is missing$/],
    [['--sysctl', 'kernel.shmmax', 'alpine'], /^--sysctl "kernel.shmmax": not NAME=VALUE$/],
    [['--time-offset', 'realtime=3', 'alpine'], /^--time-offset "realtime": not monotonic or boottime/],
    [['--time-offset', 'boottime=x', 'alpine'], /^--time-offset "x": not a whole number$/],
    [['--rm=maybe', 'alpine'], /^--rm=maybe: true or false is meant$/],
    [['--explain=jsno', 'alpine'], /^--explain=jsno: the formats are text and json; did you mean json\?$/],
    [['-a', 'stdlog', 'alpine'], /^--attach "stdlog": the streams are stdin, stdout and stderr$/],
  ])('%j', (args, message) => {
    expect(() => readRunArguments(args)).toThrow(message);
  });
});
