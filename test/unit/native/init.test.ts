import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nativeFile } from '../../../src/kernel/native.ts';

const init = nativeFile('init');
let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'tsbox-init-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function run(args: string[], options: { env?: NodeJS.ProcessEnv; cwd?: string } = {}) {
  const { status, stdout, stderr, error } = spawnSync(init, args, {
    encoding: 'utf8',
    timeout: 10_000,
    ...options,
  });
  if (error) throw error;
  return { status, stdout, stderr };
}

/** The first line of the program's output, after which it is ready for a signal. */
async function started(args: string[]) {
  const child = spawn(init, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const ended = new Promise<{ code: number | null; output: string }>((resolve) =>
    child.on('close', (code) => resolve({ code, output })),
  );
  await new Promise<void>((resolve) => child.stdout.once('data', () => resolve()));
  return { child, ended };
}

describe('the exit status is', () => {
  test('the one of the program', () => {
    expect(run(['sh', '-c', 'exit 0'])).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(run(['sh', '-c', 'exit 7']).status).toBe(7);
    expect(run(['--', 'sh', '-c', 'exit 255']).status).toBe(255);
  });

  test('128 and the signal that killed it', () => {
    expect(run(['sh', '-c', 'kill -9 $$']).status).toBe(137);
    expect(run(['sh', '-c', 'kill -TERM $$']).status).toBe(143);
  });

  test('127 when there is no such program', () => {
    // Not the PATH of whoever runs the tests: a directory in it that may not be entered is an answer of its own (execvp(3)).
    expect(run(['no-such-program'], { env: { PATH: '/usr/bin:/bin' } })).toEqual({
      status: 127,
      stdout: '',
      stderr: 'tsbox init: `no-such-program`: not found\n',
    });
    expect(run(['/no/such/program']).status).toBe(127);
    expect(run(['']).status).toBe(127);
  });

  test('126 when it cannot be run', () => {
    const text = join(directory, 'text');
    writeFileSync(text, 'neither ELF nor #!\n', { mode: 0o755 });
    expect(run(['/etc/passwd'])).toMatchObject({
      status: 126,
      stderr: 'tsbox init: `/etc/passwd`: permission denied\n',
    });
    expect(run([text])).toMatchObject({
      status: 126,
      stderr: `tsbox init: \`${text}\`: not a program that this machine can run\n`,
    });
    expect(run(['/etc']).status).toBe(126);
  });

  test('125 when it is not told what to run', () => {
    expect(run([]).status).toBe(125);
    expect(run(['--']).status).toBe(125);
  });
});

test('a name that would break the line of the message is one line still', () => {
  const { status, stderr } = run([`new\nline${'x'.repeat(5000)}`]);
  expect(status).toBe(127);
  expect(stderr.split('\n')).toHaveLength(2);
  expect(stderr).toMatch(/^tsbox init: `new\?line/);
});

describe('the program is found', () => {
  test('in the directories of PATH, in order, past what cannot be executed', () => {
    for (const name of ['first', 'second', 'third']) mkdirSync(join(directory, name));
    const file = (where: string, mode: number) => {
      const path = join(directory, where, 'hello');
      writeFileSync(path, `#!/bin/sh\necho ${where}\n`);
      chmodSync(path, mode);
    };
    file('first', 0o644);
    file('second', 0o755);
    file('third', 0o755);
    const PATH = `/nowhere:/etc/passwd:${directory}/first:${directory}/second:${directory}/third`;
    expect(run(['hello'], { env: { PATH } }).stdout).toBe('second\n');
    expect(run(['hello'], { env: { PATH: `/nowhere:${directory}/first` } }).status).toBe(126);
  });

  test('in the current directory where PATH has an empty entry', () => {
    const cwd = join(directory, 'third');
    expect(run(['hello'], { env: { PATH: '/nowhere:' }, cwd }).stdout).toBe('third\n');
    expect(run(['hello'], { env: { PATH: '/nowhere' }, cwd }).status).toBe(127);
  });

  test('in the usual directories where there is no PATH', () => {
    expect(run(['true'], { env: { NOTPATH: '/', PATHS: '/' } }).status).toBe(0);
  });

  test('with an entry of PATH that is too long left out', () => {
    expect(run(['true'], { env: { PATH: `/${'x'.repeat(8000)}:/bin:/usr/bin` } }).status).toBe(0);
    expect(run(['x'.repeat(8000)], { env: { PATH: '/bin' } }).status).toBe(127);
  });
});

describe('signals', () => {
  test('are passed on to the program', async () => {
    const names = ['HUP', 'INT', 'QUIT', 'USR1', 'USR2', 'PIPE', 'ALRM', 'TERM', 'CONT', 'WINCH'];
    const traps = names.map((name) => `trap 'echo ${name}' ${name};`).join(' ');
    // bash: dash cannot trap while it waits without a child.
    const { child, ended } = await started([
      'bash',
      '-c',
      `${traps} trap 'exit 42' URG; echo ready; while :; do read -t 0.05 <> <(:) || :; done`,
    ]);
    for (const name of names) {
      child.kill(`SIG${name}` as NodeJS.Signals);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    child.kill('SIGURG');
    expect(await ended).toEqual({ code: 42, output: `ready\n${names.join('\n')}\n` });
  });

  test('end a program that does not handle them', async () => {
    const { child, ended } = await started(['sh', '-c', 'echo ready; exec sleep 20']);
    child.kill('SIGTERM');
    expect((await ended).code).toBe(143);
  });

  test('are not blocked in the program, as they are in init', () => {
    expect(run(['grep', 'SigBlk', '/proc/self/status']).stdout).toBe('SigBlk:\t0000000000000000\n');
  });
});

test('orphans come to init and are waited for', () => {
  const script = `
    (sh -c 'sleep 0.2; exit 5' & echo $! >${directory}/orphan)
    sleep 0.1
    awk '{print "parent", $4}' /proc/$(cat ${directory}/orphan)/stat
    sleep 0.4
    echo init $PPID
    awk -v init=$PPID '$4 == init {print "child", $1}' /proc/[0-9]*/stat 2>/dev/null
    echo self $$`;
  const { status, stdout } = run(['sh', '-c', script]);
  const lines = Object.fromEntries(
    stdout
      .trim()
      .split('\n')
      .map((line) => line.split(' ') as [string, string]),
  );
  expect(status).toBe(0);
  expect(lines.parent).toBe(lines.init);
  expect(lines.child).toBe(lines.self);
  expect(stdout.match(/child/g)).toHaveLength(1);
});

test('the program has a process group of its own, in the foreground of the terminal', () => {
  const { stdout } = spawnSync('script', ['-qec', `${init} ps -o pid=,pgid=,tpgid= -C ps`, '/dev/null'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 10_000,
  });
  const [pid, group, foreground] = stdout.trim().split(/\s+/);
  expect(pid).toMatch(/^\d+$/);
  expect(group).toBe(pid);
  expect(foreground).toBe(pid);
});

const namespaces = spawnSync('unshare', ['-Urpf', '--mount-proc', 'true']).status === 0;
// A container or a hardened host may forbid user namespaces to everybody.
describe.skipIf(!namespaces)('as PID 1 (skipped where unshare -Urpf is not allowed)', () => {
  test('it runs the program as another process and ends with its status', () => {
    const { status, stdout } = spawnSync(
      'unshare',
      ['-Urpf', '--mount-proc', init, 'sh', '-c', 'echo $$ $PPID; exit 9'],
      { encoding: 'utf8', timeout: 10_000 },
    );
    expect(stdout).toBe('2 1\n');
    expect(status).toBe(9);
  });

  test('signals from inside the namespace reach the program although PID 1 has no handlers', () => {
    const { status } = spawnSync(
      'unshare',
      ['-Urpf', '--mount-proc', init, 'sh', '-c', 'kill -TERM 1; sleep 5; exit 9'],
      { timeout: 10_000 },
    );
    expect(status).toBe(143);
  });
});
