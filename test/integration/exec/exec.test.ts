import { execFile, execFileSync, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findCgroup } from '../../../src/cgroup/index.ts';
import { leavesNothing } from '../support/leftovers.ts';
import { Terminal } from '../support/pty.ts';
import {
  cli,
  describeRoot,
  environment,
  eventually,
  Running,
  scratch,
  sleep,
  tsbox,
} from '../support/tsbox.ts';

const exec = (flags: readonly string[], command: readonly string[], settings?: { input?: string }) =>
  tsbox(['exec', ...flags, 'exec-box', ...command], settings);

describeRoot('tsbox exec', () => {
  leavesNothing();
  const directory = scratch();
  let box: Running;
  let id: string;
  beforeAll(async () => {
    const cidfile = join(directory, 'id');
    const flags = [
      '--name',
      'exec-box',
      '--cidfile',
      cidfile,
      '-e',
      'OWN=1',
      '-w',
      '/srv',
      '--ulimit',
      'nofile=77',
    ];
    box = new Running(flags, ['sh', '-c', 'echo up; exec sleep 1000']);
    await box.says('up');
    id = readFileSync(cidfile, 'utf8');
  });
  afterAll(async () => {
    tsbox(['rm', '-f', 'exec-box']);
    await box.ended;
  });

  test('its output, its input and its exit code are the program’s', () => {
    expect(exec([], ['sh', '-c', 'echo out; echo err >&2; exit 7'])).toEqual({
      ...{ status: 7, stdout: 'out\n', stderr: 'err\n' },
    });
    expect(exec(['-i'], ['cat'], { input: 'in' }).stdout).toBe('in');
    // Without -i it has no input.
    expect(exec([], ['wc', '-c'], { input: 'in' }).stdout.trim()).toBe('0');
    expect(exec([], ['sh', '-c', 'kill -9 $$']).status).toBe(137);
  });

  test('126 and 127 as a shell has them, 125 for what tsbox refuses', () => {
    expect(exec([], ['no-such-program'])).toMatchObject({ status: 127 });
    expect(exec([], ['/etc/passwd'])).toMatchObject({ status: 126 });
    expect(exec(['-w', '/nowhere'], ['true'])).toMatchObject({ status: 127 });
    expect(exec(['-w', 'relative'], ['true'])).toMatchObject({ status: 125 });
    expect(exec(['-u', 'nobody-there'], ['true']).stderr).toContain('unable to find user nobody-there');
    expect(tsbox(['exec', 'no-such-box', 'true'])).toMatchObject({ status: 125 });
    expect(tsbox(['exec', 'exec-box'])).toMatchObject({ status: 125 });
  });

  test('everything is the container’s: namespaces, cgroup, capabilities, filter, limits, environment, directory', () => {
    const script = `
      for ns in cgroup ipc mnt net pid uts user; do readlink /proc/self/ns/$ns; done
      grep -E '^(Cap|Seccomp:|NoNewPrivs|SigIgn|SigBlk)' /proc/self/status
      cat /proc/self/cgroup | tail -1; cat /proc/self/oom_score_adj
      ulimit -n; echo $OWN $HOME; pwd; umask; hostname`;
    const inside = exec([], ['sh', '-c', script]).stdout;
    expect(inside).toContain('/srv\n0022\n');
    expect(inside).toContain('77\n1 /root\n');
    const pid = readFileSync(join(findCgroup().mountPoint, 'tsbox', id, 'cgroup.procs'), 'utf8').split(
      '\n',
    )[0];
    for (const ns of ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'uts', 'user'])
      expect(inside).toContain(execFileSync('readlink', [`/proc/${pid}/ns/${ns}`], { encoding: 'utf8' }));
    const lines = readFileSync(`/proc/${pid}/status`, 'utf8').split('\n');
    for (const line of lines.filter((each) => /^(Cap|Seccomp:|NoNewPrivs|SigIgn|SigBlk)/.test(each)))
      expect(inside).toContain(line);
  });

  test('no descriptor but its streams', () => {
    const listing = exec([], ['sh', '-c', 'ls /proc/self/fd']).stdout.trim().split(/\s+/);
    // The fourth is the directory that ls reads.
    expect(listing).toEqual(['0', '1', '2', '3']);
  });

  test('-u, -w, -e, --env-file, --privileged', () => {
    expect(exec(['-u', '1234:5678', '-w', '/tmp'], ['sh', '-c', 'id -u; id -g; pwd']).stdout).toBe(
      '1234\n5678\n/tmp\n',
    );
    const named = exec(['-u', 'nobody'], ['sh', '-c', 'id -un; grep CapEff /proc/self/status']).stdout;
    expect(named).toBe('nobody\nCapEff:\t0000000000000000\n');
    const file = join(directory, 'env');
    writeFileSync(file, 'A=file\nB=file\n');
    const flags = ['--env-file', file, '-e', 'B=flag', '-e', 'FROM_US'];
    const { stdout } = tsbox(['exec', ...flags, 'exec-box', 'sh', '-c', 'echo $A $B $FROM_US'], {
      env: { FROM_US: 'ours' },
    });
    expect(stdout).toBe('file flag ours\n');
    const caps = (more: string[]) =>
      BigInt(`0x${exec(more, ['sh', '-c', 'grep CapEff /proc/self/status']).stdout.split('\t')[1]?.trim()}`);
    const own = BigInt(`0x${/CapEff:\t(\w+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]}`);
    expect(caps([])).toBe(0xa80425fbn);
    expect(caps(['--privileged'])).toBe(own);
  });

  test('a program in a user namespace of the container’s', async () => {
    const mapped = new Running(
      ['--name', 'exec-mapped', '--userns', 'auto'],
      ['sh', '-c', 'echo up; exec sleep 1000'],
    );
    await mapped.says('up');
    const { stdout } = tsbox([
      'exec',
      'exec-mapped',
      'sh',
      '-c',
      'id -u; touch /made; stat -c %u /made; cat /proc/self/uid_map',
    ]);
    expect(stdout).toMatch(/^0\n0\n\s+0\s+[1-9]\d+\s+65536\n$/);
    tsbox(['rm', '-f', 'exec-mapped']);
    await mapped.ended;
  });

  test('a program in a time namespace of the container’s', async () => {
    const shifted = new Running(
      ['--name', 'exec-time', '--time-offset', 'boottime=1000000'],
      ['sh', '-c', 'echo up; exec sleep 1000'],
    );
    await shifted.says('up');
    const { stdout, stderr } = tsbox(['exec', 'exec-time', 'cat', '/proc/uptime']);
    expect(stderr).toBe('');
    expect(Number(stdout.split(' ')[0])).toBeGreaterThan(1_000_000);
    tsbox(['rm', '-f', 'exec-time']);
    await shifted.ended;
  });

  test('-it: a terminal of the container’s own', async () => {
    const terminal = new Terminal(['exec', '-it', 'exec-box', 'sh'], { rows: 33, columns: 99 });
    await terminal.shows('# ');
    terminal.type('tty; stty size; echo $TERM\r');
    await terminal.shows('/dev/pts/0\r\n33 99\r\nxterm\r\n');
    terminal.resize({ rows: 20, columns: 50 });
    await sleep(100);
    terminal.type('stty size\r');
    await terminal.shows('20 50\r\n');
    terminal.type('sleep 100\r');
    await sleep(200);
    terminal.type('\x03');
    terminal.type('exit 9\r');
    expect(await terminal.ended).toEqual({ status: 9, signal: null });
    terminal.close();
  });

  test('-d: it goes on when tsbox has ended, and has a parent that waits for it', async () => {
    const started = exec(['-d'], ['sh', '-c', 'echo $$ > /tmp/detached; sleep 1000; :']);
    expect(started).toEqual({ status: 0, stdout: '', stderr: '' });
    await eventually(() => exec([], ['cat', '/tmp/detached']).stdout !== '', 'the program');
    const pid = exec([], ['cat', '/tmp/detached']).stdout.trim();
    expect(exec([], ['cat', `/proc/${pid}/comm`]).stdout).toBe('sh\n');
    expect(exec([], ['kill', '-9', pid]).status).toBe(0);
    await eventually(() => exec([], ['test', '-e', `/proc/${pid}`]).status === 1, 'its end');
    expect(exec(['-d'], ['no-such-program']).status).toBe(127);
  });

  test('it ends with the container, which has then ended too', async () => {
    const script = 'echo up; until test -e /stop; do sleep 0.1; done';
    const other = new Running(['--name', 'exec-short'], ['sh', '-c', script]);
    await other.says('up');
    expect(tsbox(['exec', 'exec-short', 'sh', '-c', 'touch /stop; sleep 1000']).status).toBe(137);
    expect((await other.ended).status).toBe(0);
    expect(tsbox(['exec', 'exec-short', 'true']).stderr).toContain('there is no container');
  });

  test('kill -9 of tsbox ends its program, and not the container', async () => {
    const command = ['exec', 'exec-box', 'sh', '-c', 'touch /tmp/running; exec busybox sleep 777'];
    const child = spawn(cli, command, { env: environment(), stdio: 'ignore' });
    await eventually(() => exec([], ['test', '-e', '/tmp/running']).status === 0, 'the program');
    // By a name that nothing else in there has. A zombie is dead; when it is reaped is up to this machine's init.
    const living = "cat $(grep -l '^Name:.busybox$' /proc/[0-9]*/status) /dev/null | grep '^State:.[^ZX]'";
    const left = () => exec([], ['sh', '-c', living]).stdout;
    expect(left()).toContain('State:');
    child.kill('SIGKILL');
    await eventually(() => left() === '', left);
    expect(exec([], ['true']).status).toBe(0);
  });

  test('--explain makes nothing', () => {
    const { stdout, stderr } = exec(['--explain'], ['true']);
    expect(stderr).toBe('');
    expect(stdout).toContain('setns(4, CLONE_NEWNS|');
    expect(stdout).toContain('CLONE_INTO_CGROUP');
  });

  test('twenty commands at once', async () => {
    const one = (index: number) =>
      new Promise<string>((resolve, reject) =>
        execFile(cli, ['exec', 'exec-box', 'echo', `${index}`], { env: environment() }, (error, stdout) =>
          error ? reject(error) : resolve(stdout),
        ),
      );
    const said = await Promise.all(Array.from({ length: 20 }, (_, index) => one(index)));
    expect(said).toEqual(Array.from({ length: 20 }, (_, index) => `${index}\n`));
  });

  test('paused: refused in Docker’s words, and works again afterwards', () => {
    expect(tsbox(['pause', 'exec-box']).stdout).toBe('exec-box\n');
    expect(exec([], ['true'])).toEqual({
      status: 125,
      stdout: '',
      stderr: 'tsbox: container exec-box is paused, unpause the container before exec\n',
    });
    expect(tsbox(['ps', '--format', '{{.Names}} {{.Status}}']).stdout).toMatch(/^exec-box Up .*\(Paused\)$/m);
    expect(tsbox(['unpause', 'exec-box']).stdout).toBe('exec-box\n');
    expect(exec([], ['true']).status).toBe(0);
  });
});
