import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { leavesNothing } from '../support/leftovers.ts';
import { Terminal } from '../support/pty.ts';
import { cli, describeRoot, environment, eventually, image, tsbox } from '../support/tsbox.ts';
import { failed, removesAll, said, stateOf } from './support.ts';

describeRoot('attach', () => {
  leavesNothing();
  removesAll();

  it('shows what is written from then on, to everybody, and ends with the program', async () => {
    const script = 'read line; echo "got $line"; echo err >&2; exit 5';
    said('run', '-d', '-i', '--name', 'talk', image, 'sh', '-c', script);
    const watcher = spawn(cli, ['attach', '--no-stdin', 'talk'], { env: environment(), stdio: 'pipe' });
    let watched = '';
    watcher.stdout.on('data', (chunk) => {
      watched += chunk;
    });
    const end = once(watcher, 'close');
    // It is connected once the monitor has it among its descriptors; the log of the other shows the end in any case.
    const typist = spawn(cli, ['attach', 'talk'], { env: environment(), stdio: 'pipe' });
    let typed = '';
    typist.stdout.on('data', (chunk) => {
      typed += chunk;
    });
    const [status] = await Promise.all([once(typist, 'close'), connectedThenType(typist)]);
    expect(status[0]).toBe(5);
    expect(typed).toBe('got hello\n');
    expect((await end)[0]).toBe(5);
    expect(watched).toBe('got hello\n');
  });

  async function connectedThenType(child: ReturnType<typeof spawn>): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 1500));
    child.stdin?.write('hello\n');
  }

  it('refuses what does not run, and what is not its to give', async () => {
    said('create', '--name', 'idle', image, 'true');
    expect(failed(tsbox(['attach', 'idle'])).stderr).toBe(
      'tsbox: cannot attach to container idle: it is not running',
    );
    expect(failed(tsbox(['attach', 'nosuch'])).status).toBe(125);
  });

  it('start -ai gives a terminal that can be left and come back to', async () => {
    said('create', '-it', '--name', 'shell', '-e', 'PS1=% ', image, 'sh');
    const first = new Terminal(['start', '-ai', 'shell'], { rows: 30, columns: 90 });
    await first.shows('% ');
    first.type('stty size\r');
    await first.shows('30 90');
    first.resize({ rows: 40, columns: 100 });
    first.type('sleep 0.3; stty size\r');
    await first.shows('40 100');
    await first.shows('% ');
    first.type('X=kept\r');
    first.type('\x10\x11');
    expect(await first.ended).toEqual({ status: 0, signal: null });
    expect(first.shown).toContain('read escape sequence');
    first.close();
    expect(stateOf('shell')).toBe('running');
    const second = new Terminal(['attach', '--detach-keys', 'ctrl-a,d', 'shell'], { rows: 30, columns: 90 });
    await new Promise((resolve) => setTimeout(resolve, 1000));
    second.type('echo $X\r');
    await second.shows('kept\r\n');
    // Half of the keys is input like any other.
    second.type('\x01x\r');
    second.type('\x01d');
    expect(await second.ended).toEqual({ status: 0, signal: null });
    second.close();
    const third = new Terminal(['attach', 'shell']);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    third.type('exit 9\r');
    expect(await third.ended).toEqual({ status: 9, signal: null });
    third.close();
    expect(said('logs', 'shell')).toContain('echo $X\r\nkept\r\n');
  });

  it('run --detach-keys can be left; run -it without them cannot', async () => {
    const terminal = new Terminal([
      'run',
      '-it',
      '--rm',
      '--name',
      'leave',
      '--detach-keys',
      'ctrl-x',
      image,
      'sh',
    ]);
    await terminal.shows('# ');
    terminal.type('\x18');
    expect(await terminal.ended).toEqual({ status: 0, signal: null });
    terminal.close();
    expect(stateOf('leave')).toBe('running');
    expect(failed(tsbox(['run', '-d', '--detach-keys', 'ctrl-?', image, 'true'])).status).toBe(0);
    expect(failed(tsbox(['attach', '--detach-keys', 'ctrl-?', 'leave'])).status).toBe(125);
  });

  it('signals go to the program, and its exit code comes back', async () => {
    const script = 'trap "exit 6" TERM; echo ready; while :; do sleep 0.05; done';
    said('create', '--name', 'sig', image, 'sh', '-c', script);
    const child = spawn(cli, ['start', '-a', 'sig'], { env: environment(), stdio: 'pipe' });
    await once(child.stdout, 'data');
    child.kill('SIGTERM');
    expect((await once(child, 'close'))[0]).toBe(6);
  });

  it('one that is slow makes the program slow, and nobody stuck', async () => {
    said(
      'create',
      '--name',
      'flood',
      image,
      'sh',
      '-c',
      `yes ${'x'.repeat(999)} | head -c 20000000; echo done`,
    );
    const child = spawn(cli, ['start', '-a', 'flood'], { env: environment(), stdio: 'pipe' });
    // Nobody reads.
    child.stdout.pause();
    await eventually(() => stateOf('flood') === 'running', 'its start');
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(stateOf('flood')).toBe('running');
    said('kill', 'flood');
    expect(said('wait', 'flood')).toBe('137');
    child.kill('SIGKILL');
    await once(child, 'close');
    expect(tsbox(['start', '-a', 'flood']).stdout.length).toBe(20_000_005);
  });

  it('the exit code of one that removes itself at once', () => {
    said('create', '--rm', '--name', 'brief', image, 'sh', '-c', 'echo short; exit 8');
    expect(tsbox(['start', '-a', 'brief'])).toEqual({ status: 8, stdout: 'short\n', stderr: '' });
  });
});
