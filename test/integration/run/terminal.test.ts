import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { leavesNothing } from '../support/leftovers.ts';
import { Terminal } from '../support/pty.ts';
import { describeRoot, eventually, image, run, scratch, sleep } from '../support/tsbox.ts';

describeRoot('a terminal', () => {
  leavesNothing();
  const directory = scratch();
  const open: Terminal[] = [];
  afterEach(async () => {
    for (const terminal of open.splice(0)) {
      terminal.process.kill('SIGKILL');
      await terminal.ended;
      terminal.close();
    }
  });

  function start(args: string[], size?: { rows: number; columns: number }): Terminal {
    const terminal = new Terminal(args, size);
    open.push(terminal);
    return terminal;
  }
  const shell = (flags: string[] = [], command = ['sh']) =>
    start(['run', '--rm', '-it', ...flags, image, ...command], { rows: 33, columns: 99 });

  test('-it: a shell on a terminal of the container’s own, as large as ours', async () => {
    const terminal = shell();
    await terminal.shows('# ');
    terminal.type('tty; stty size; test -t 0 && test -t 1 && test -t 2 && echo all three\r');
    await terminal.shows('/dev/pts/0\r\n33 99\r\nall three\r\n');
    terminal.type('readlink /proc/self/fd/0; ls -l /dev/console | cut -c1; exit 5\r');
    await terminal.shows('/dev/pts/0\r\nc\r\n');
    expect(await terminal.ended).toEqual({ status: 5, signal: null });
  });

  test('the size follows, and programs are told', async () => {
    const terminal = shell(
      [],
      ['sh', '-c', 'trap "stty size" WINCH; echo ready; while :; do sleep 0.1; done'],
    );
    await terminal.shows('ready');
    terminal.resize({ rows: 40, columns: 120 });
    await terminal.shows('40 120\r\n');
    terminal.resize({ rows: 10, columns: 20 });
    await terminal.shows('10 20\r\n');
    terminal.process.kill('SIGKILL');
    await terminal.ended;
  });

  test('Ctrl-C is for the program in the foreground, Ctrl-D is the end of input', async () => {
    const terminal = shell();
    await terminal.shows('# ');
    terminal.type('sleep 60; echo code $?\r');
    await sleep(300);
    terminal.type('\x03');
    await terminal.shows('^C');
    terminal.type('echo still $((40 + 2))\r');
    await terminal.shows('still 42\r\n');
    terminal.type('cat\r');
    await sleep(200);
    terminal.type('typed\r');
    await terminal.shows('typed\r\ntyped\r\n');
    terminal.type('\x04');
    await terminal.shows('# ');
    terminal.type('\x04');
    expect((await terminal.ended).status).not.toBe(null);
  });

  test('Ctrl-Z stops a job inside, not tsbox', async () => {
    const terminal = shell();
    await terminal.shows('# ');
    terminal.type('sleep 60\r');
    await sleep(300);
    terminal.type('\x1a');
    await terminal.shows('Stopped');
    terminal.type('kill %1; exit 0\r');
    await sleep(100);
    terminal.type('exit 0\r');
    expect((await terminal.ended).signal).toBe(null);
  });

  test('ours is raw meanwhile, and then as it was', async () => {
    const terminal = shell([], ['sh', '-c', 'echo ready; read line; exit 3']);
    const before = terminal.settings();
    await terminal.shows('ready');
    expect(terminal.settings()).not.toBe(before);
    terminal.type('\r');
    expect(await terminal.ended).toMatchObject({ status: 3 });
    expect(terminal.settings()).toBe(before);
  });

  test.each([
    ['SIGTERM', ['sh', '-c', 'trap "exit 4" TERM; echo ready; while :; do sleep 0.05; done'], { status: 4 }],
    ['SIGHUP', ['sh', '-c', 'trap "exit 4" HUP; echo ready; while :; do sleep 0.05; done'], { status: 4 }],
  ] as const)('as it was also after %s', async (signal, command, end) => {
    const terminal = shell([], [...command]);
    const before = terminal.settings();
    await terminal.shows('ready');
    terminal.process.kill(signal);
    expect(await terminal.ended).toMatchObject(end);
    expect(terminal.settings()).toBe(before);
  });

  test('as it was after a start that failed', async () => {
    for (const [command, status] of [
      [['no-such-program'], 127],
      [['/etc/passwd'], 126],
    ] as const) {
      const terminal = shell([], [...command]);
      const before = terminal.settings();
      expect(await terminal.ended).toMatchObject({ status });
      expect(terminal.settings()).toBe(before);
    }
  });

  test('all that a program says before it ends is shown', async () => {
    const terminal = shell([], ['sh', '-c', 'seq 1 20000; echo the end']);
    expect(await terminal.ended).toMatchObject({ status: 0 });
    await eventually(() => terminal.shown.includes('the end'), 'the end');
    expect(terminal.shown.replaceAll('\r\n', '\n')).toBe(
      `${Array.from({ length: 20000 }, (_, n) => `${n + 1}\n`).join('')}the end\n`,
    );
  });

  test('what a program writes is shown byte by byte', async () => {
    // A bare LF moves the cursor down, not to the left: what draws on the whole screen depends on it.
    const terminal = shell([], ['sh', '-c', 'stty raw; printf "a\\nb\\r\\nc"']);
    await terminal.shows('a\nb\r\nc');
    expect(await terminal.ended).toMatchObject({ status: 0 });
  });

  test('for a user who is not root too', async () => {
    const terminal = shell(
      ['-u', 'nobody'],
      ['sh', '-c', 'echo from tty > $(tty); stat -c %u $(tty); echo x > /dev/tty'],
    );
    await terminal.shows('from tty\r\n65534\r\nx\r\n');
    expect(await terminal.ended).toMatchObject({ status: 0 });
  });

  test('in a user namespace too', async () => {
    const terminal = shell(['--userns', 'auto'], ['sh', '-c', 'tty; stty size; stat -c %u $(tty)']);
    await terminal.shows('/dev/pts/0\r\n33 99\r\n0\r\n');
    expect(await terminal.ended).toMatchObject({ status: 0 });
  });

  test('a window that closes stops the program, by --stop-signal', async () => {
    const log = join(directory, 'log');
    writeFileSync(log, '');
    const script =
      'trap "" HUP; trap "echo asked >> /log; exit 0" USR1; echo ready; while :; do sleep 0.05; done';
    const terminal = shell(['-v', `${log}:/log`, '--stop-signal', 'SIGUSR1'], ['sh', '-c', script]);
    await terminal.shows('ready');
    terminal.close();
    await terminal.ended;
    expect(readFileSync(log, 'utf8')).toBe('asked\n');
  });

  test('-i without -t at a terminal: lines, and Ctrl-C ends it', async () => {
    const terminal = start([
      'run',
      '--rm',
      '-i',
      image,
      'sh',
      '-c',
      'trap "exit 6" INT; test -t 0 || echo pipe; read line; echo got $line; while :; do sleep 0.05; done',
    ]);
    await terminal.shows('pipe');
    terminal.type('hello\r');
    await terminal.shows('got hello');
    terminal.type('\x03');
    expect(await terminal.ended).toMatchObject({ status: 6 });
  });

  test('-t without -i needs no terminal of ours; -it does', () => {
    expect(run(['-t'], ['tty'])).toEqual({ status: 0, stdout: '/dev/pts/0\r\n', stderr: '' });
    expect(run(['-it'], ['tty'])).toEqual({
      status: 125,
      stdout: '',
      stderr:
        'tsbox: the input device is not a TTY\n  leave out -t: standard input is a file or a pipe here, and -i alone connects it\n',
    });
  });
});
