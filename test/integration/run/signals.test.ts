import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { leavesNothing } from '../support/leftovers.ts';
import {
  describeRoot,
  eventually,
  inside,
  processesOf,
  Running,
  refused,
  run,
  scratch,
  sleep,
} from '../support/tsbox.ts';

/** Says its name when it gets one of these, and ends at a TERM or INT. */
const LISTENER = `for s in HUP USR1 USR2 QUIT; do trap "echo got $s" $s; done
  trap 'echo got TERM; exit 7' TERM; trap 'echo got INT; exit 8' INT
  echo ready; while :; do sleep 0.1; done`;

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

describeRoot('signals', () => {
  leavesNothing();
  const directory = scratch();

  test('reach the program, whose exit code is the answer', async () => {
    const box = new Running([], ['sh', '-c', LISTENER]);
    await box.says('ready');
    for (const signal of ['HUP', 'USR1', 'USR2', 'QUIT'] as const) {
      box.process.kill(`SIG${signal}`);
      await box.says(`got ${signal}\n`);
    }
    box.process.kill('SIGTERM');
    expect(await box.ended).toMatchObject({ status: 7, signal: null, stderr: '' });
  });

  test('SIGINT too', async () => {
    const box = new Running([], ['sh', '-c', LISTENER]);
    await box.says('ready');
    box.process.kill('SIGINT');
    expect(await box.ended).toMatchObject({ status: 8, stdout: 'ready\ngot INT\n' });
  });

  test('through --init', async () => {
    const box = new Running(['--init'], ['sh', '-c', LISTENER]);
    await box.says('ready');
    box.process.kill('SIGTERM');
    expect(await box.ended).toMatchObject({ status: 7, stdout: 'ready\ngot TERM\n' });
  });

  test('without a handler: PID 1 goes on, a program below --init ends', async () => {
    const first = new Running([], ['sh', '-c', 'echo ready; exec sleep 60']);
    await first.says('ready');
    first.process.kill('SIGTERM');
    await sleep(300);
    expect(first.process.exitCode).toBe(null);
    const below = new Running(['--init'], ['sh', '-c', 'echo ready; exec sleep 60']);
    await below.says('ready');
    below.process.kill('SIGTERM');
    expect(await below.ended).toMatchObject({ status: 143 });
    first.process.kill('SIGTERM');
    await sleep(50);
    first.process.kill('SIGTERM');
    expect(await first.ended).toMatchObject({
      status: 137,
      stderr: 'tsbox: third SIGTERM: killing the container\n',
    });
  });

  test('--sig-proxy=false: they end tsbox, and the container with it', async () => {
    const box = new Running(['--sig-proxy=false'], ['sh', '-c', LISTENER]);
    await box.says('ready');
    box.process.kill('SIGUSR1');
    await sleep(300);
    expect(box.process.exitCode).toBe(null);
    box.process.kill('SIGTERM');
    expect(await box.ended).toMatchObject({ status: 143, stdout: 'ready\n' });
  });

  test('SIGKILL of tsbox kills the container', async () => {
    const cidfile = join(directory, 'cid');
    const box = new Running(['--cidfile', cidfile], ['sh', '-c', 'sleep 60 & echo ready; wait']);
    await box.says('ready');
    const pids = processesOf(readFileSync(cidfile, 'utf8'));
    expect(pids).toHaveLength(2);
    box.process.kill('SIGKILL');
    await box.ended;
    // Where nobody reaps orphans at once they are zombies, which have no command line.
    const alive = () => pids.filter((pid) => commandLine(pid) !== '');
    await eventually(() => alive().length === 0, 'both are dead');
  });

  test('SIGKILL of tsbox at any moment leaves nothing (see the end of this block)', async () => {
    for (const milliseconds of [10, 30, 45, 60, 75, 90, 105, 120, 140, 170, 200]) {
      const box = new Running([], ['sleep', '0.05']);
      await sleep(milliseconds);
      box.process.kill('SIGKILL');
      await box.ended;
    }
  });

  test('SIGTERM at any moment of the start ends it', async () => {
    for (const milliseconds of [20, 50, 80, 110, 140]) {
      const box = new Running([], ['sh', '-c', 'trap "exit 143" TERM; while :; do sleep 0.05; done']);
      await sleep(milliseconds);
      box.process.kill('SIGTERM');
      const again = setInterval(() => box.process.kill('SIGTERM'), 500);
      const { status, signal } = await box.ended;
      clearInterval(again);
      expect([143, 137, 'SIGTERM']).toContain(status ?? signal);
    }
  });

  test('a signal that is none is refused', () => {
    expect(refused(['--stop-signal', 'SIGTREM'])).toMatch(/^tsbox: --stop-signal.*SIGTREM/);
    expect(refused(['--stop-signal', '99'])).toMatch(/^tsbox: --stop-signal/);
    expect(refused(['--stop-timeout', 'soon'])).toMatch(/^tsbox: --stop-timeout/);
  });
});

describeRoot('--init', () => {
  leavesNothing();
  /** Orphans a process that ends at once, and counts zombies. */
  const script = `(sleep 0.1 & ) ; sleep 0.6; grep -l "^State:.Z" /proc/[0-9]*/status 2>/dev/null | wc -l`;

  test('is PID 1, and the program is not', () => {
    expect(
      inside(['--init'], 'readlink /proc/1/exe; [ $$ != 1 ] && echo other; ls -l /dev/init | cut -c1-10'),
    ).toMatch(/^\/dev\/init\nother\n-r.xr-xr-x\n$/);
  });

  test('reaps orphans', () => {
    expect(inside(['--init'], script)).toBe('0\n');
  });

  test('ends with the program, whatever else runs', () => {
    expect(run(['--init'], ['sh', '-c', 'sleep 60 & exit 9'])).toMatchObject({ status: 9 });
  });

  test("cannot be written to, so that no container changes the host's (CVE-2019-5736)", () => {
    const attempt =
      '(echo x > /dev/init) 2>&1; (echo x > /proc/1/exe) 2>&1; mount -o remount,rw /dev/init 2>&1; true';
    for (const line of run(['--init'], ['sh', '-c', attempt]).stdout.trim().split('\n')) {
      expect(line).toMatch(/Read-only file system|Text file busy|permission denied|Permission denied/);
    }
  });
});
