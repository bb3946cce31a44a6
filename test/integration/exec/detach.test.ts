import { spawn } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { leavesNothing } from '../support/leftovers.ts';
import { Terminal } from '../support/pty.ts';
import { cli, describeRoot, environment, eventually, image, tsbox } from '../support/tsbox.ts';

const inside = (script: string) => tsbox(['exec', 'keep-box', 'sh', '-c', script]);

/** The words of those events of the box that speak of an exec, but for those of this file's own questions. */
function execEvents(): string[] {
  const asked = ['events', '--since', '1m', '--until', '0s', '-f', 'container=keep-box'];
  const lines = tsbox([...asked, '--format', '{{.Action}} {{.Actor.Attributes.execID}}']).stdout.split('\n');
  const id =
    lines
      .findLast((line) => line.includes('terminal-program'))
      ?.split(' ')
      .at(-1) ?? 'none';
  return lines.filter((line) => line.endsWith(id)).map((line) => line.split(' ')[0] ?? '');
}

describeRoot('a program of exec that outlives its terminal', () => {
  leavesNothing();
  beforeAll(() => {
    expect(tsbox(['run', '-d', '--init', '--name', 'keep-box', image, 'sleep', '1000']).status).toBe(0);
  });
  afterAll(() => {
    expect(tsbox(['rm', '-f', 'keep-box']).status).toBe(0);
  });

  test('--detach-keys: it runs on, with its terminal, of which nobody reads', async () => {
    const script =
      ': terminal-program; trap "" HUP; echo here; read x; read y; yes | head -c 200000; tty > /done';
    const terminal = new Terminal([
      'exec',
      '-it',
      '--detach-keys',
      'ctrl-x,q',
      'keep-box',
      'sh',
      '-c',
      script,
    ]);
    await terminal.shows('here');
    terminal.type('one\r');
    await terminal.shows('one');
    // Not all of the keys: the program gets them.
    terminal.type('\x18two\r');
    terminal.type('\x18q');
    await terminal.shows('read escape sequence');
    expect(await terminal.ended).toEqual({ status: 0, signal: null });
    terminal.close();
    // More than a terminal holds: somebody has read it.
    await eventually(() => inside('cat /done').stdout !== '', 'the program’s end');
    expect(inside('cat /done').stdout).toMatch(/^\/dev\/pts\/\d+\n$/);
    expect(execEvents()).toEqual(['exec_create:', 'exec_start:', 'exec_detach']);
  });

  test('--detach-keys: whoever stays learns how it ended', async () => {
    const ends = async (script: string) => {
      const terminal = new Terminal([
        'exec',
        '-it',
        '--detach-keys',
        'ctrl-x',
        'keep-box',
        'sh',
        '-c',
        script,
      ]);
      const ended = await terminal.ended;
      terminal.close();
      return ended.status;
    };
    expect(await ends('exit 7')).toBe(7);
    expect(await ends('kill -TERM $$')).toBe(143);
    expect(await ends(': terminal-program')).toBe(0);
    expect(execEvents()).toEqual(['exec_create:', 'exec_start:', 'exec_die']);
    expect(tsbox(['exec', '-it', '--detach-keys', 'ctrl-1', 'keep-box', 'true']).stderr).toContain('ctrl-1');
  });

  test('--detach-keys: it also survives a kill -9 of its tsbox', async () => {
    const script = 'echo $$ > /survivor; exec sleep 500';
    const terminal = new Terminal(['exec', '-it', '--detach-keys', 'ctrl-x', 'keep-box', 'sh', '-c', script]);
    await eventually(() => inside('cat /survivor').stdout !== '', 'the program');
    terminal.process.kill('SIGKILL');
    await terminal.ended;
    terminal.close();
    expect(inside('cat /proc/$(cat /survivor)/comm').stdout).toBe('sleep\n');
    expect(inside('kill $(cat /survivor)').status).toBe(0);
  });

  test('-d -t: a terminal that nobody reads, and that does not fill up', async () => {
    const script = 'tty > /terminal; yes | head -c 200000; : > /written; sleep 500';
    expect(tsbox(['exec', '-dt', 'keep-box', 'sh', '-c', script])).toEqual({
      ...{ status: 0, stdout: '', stderr: '' },
    });
    await eventually(() => inside('test -e /written').status === 0, 'the end of what it writes');
    expect(inside('cat /terminal').stdout).toMatch(/^\/dev\/pts\/\d+\n$/);
  });

  test('the container’s end is the end of those that were let go of', async () => {
    expect(tsbox(['run', '-d', '--name', 'keep-short', image, 'sleep', '1000']).status).toBe(0);
    const command = ['exec', '-it', '--detach-keys', 'ctrl-x', 'keep-short', 'sleep', '500'];
    const terminal = new Terminal(command);
    await eventually(() => tsbox(['top', 'keep-short']).stdout.includes('sleep 500'), 'the program');
    const stopped = spawn(cli, ['kill', 'keep-short'], { env: environment(), stdio: 'ignore' });
    expect((await terminal.ended).status).toBe(137);
    terminal.close();
    if (stopped.exitCode === null) await new Promise((resolve) => stopped.once('exit', resolve));
    expect(tsbox(['rm', 'keep-short']).status).toBe(0);
  });
});
