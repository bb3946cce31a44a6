import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { findCgroup } from '../../../src/cgroup/index.ts';
import { leavesNothing } from '../support/leftovers.ts';
import { describeRoot, eventually, image, sleep, store, tsbox } from '../support/tsbox.ts';
import { monitors, record, removesAll, said } from './support.ts';

describeRoot('the monitor', () => {
  leavesNothing();
  removesAll();

  const start = (...flags: string[]) => {
    const id = said('run', '-d', ...flags, image, 'sh', '-c', 'echo begin; sleep 60');
    return { id, pid: record(id).monitor.pid as number, program: record(id).pid as number };
  };

  it('takes less than 150 KiB, and no more after a lot of output', async () => {
    const { pid } = start();
    const pss = (of: number) =>
      Number(/^Pss: +(\d+) kB/m.exec(readFileSync(`/proc/${of}/smaps_rollup`, 'latin1'))?.[1]);
    expect(pss(pid)).toBeGreaterThan(0);
    expect(pss(pid)).toBeLessThan(150);
    const id = said(
      'run',
      '-d',
      image,
      'sh',
      '-c',
      'head -c 30000000 /dev/zero; yes x | head -n 100000; sleep 60',
    );
    const log = join(store, 'containers', id, 'container.log');
    await eventually(() => readFileSync(log).length > 34_000_000, 'its output', 30);
    expect(pss(record(id).monitor.pid)).toBeLessThan(150);
  });

  it('keeps to itself: session, group, environment, descriptors', () => {
    const { id, pid } = start();
    // pid (comm) state ppid pgrp session tty
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
    expect([fields[2], fields[3], fields[4]]).toEqual([String(pid), String(pid), '0']);
    expect(readFileSync(`/proc/${pid}/comm`, 'latin1')).toBe('tsbox-monitor\n');
    expect(readlinkSync(`/proc/${pid}/cwd`)).toBe('/');
    expect(readFileSync(`/proc/${pid}/environ`, 'latin1')).toBe(`TSBOX_ROOT=${store}\0`);
    const own = readFileSync(`/proc/${pid}/cgroup`, 'latin1');
    expect(own).toMatch(/^0::.*\/tsbox\/monitors$/m);
    const directory = join(store, 'containers', id);
    const open = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
    const files = [directory, join(directory, 'exit'), join(directory, 'container.log')];
    for (const path of open)
      expect(path).toMatch(new RegExp(`^(/dev/null|(pipe|socket|anon_inode):.*|${files.join('|')})$`));
    expect(open.filter((path) => path.startsWith('pipe:')).length).toBe(2);
  });

  it('gives the program no descriptor but its three, and no ignored or blocked signal', () => {
    said('run', '-d', '--name', 'look', image, 'ls', '/proc/self/fd');
    said('wait', 'look');
    // ls has its directory open besides.
    expect(said('logs', 'look').split('\n').length).toBe(4);
    // Without a shell, which would set some of its own.
    said('run', '-d', '--name', 'signals', image, 'grep', '-E', '^Sig(Blk|Ign)', '/proc/self/status');
    said('wait', 'signals');
    expect(said('logs', 'signals').split('\n')).toEqual([
      'SigBlk:\t0000000000000000',
      'SigIgn:\t0000000000000000',
    ]);
    said('run', '-d', '-t', '--name', 'tty', image, 'sh', '-c', 'ls /proc/self/fd | wc -l; tty');
    said('wait', 'tty');
    expect(said('logs', 'tty').split(/\r?\n/)).toEqual(['4', '/dev/pts/0']);
  });

  it('is deaf to every signal but SIGKILL', async () => {
    const { id, pid } = start();
    for (const signal of [
      'SIGHUP',
      'SIGINT',
      'SIGQUIT',
      'SIGTERM',
      'SIGUSR1',
      'SIGUSR2',
      'SIGALRM',
      'SIGPIPE',
      'SIGCHLD',
      'SIGTSTP',
    ])
      process.kill(pid, signal);
    await sleep(200);
    expect(monitors()).toEqual([pid]);
    said('stop', '-t', '0', id);
    // What it becomes is not killed by those that were pending.
    await eventually(() => record(id).status === 'exited', 'the end on disk');
  });

  it('knows that memory was the reason', async ({ skip }) => {
    const { controllers } = findCgroup();
    if (!controllers.includes('memory')) skip('cgroup v2 has no memory controller here');
    const id = said(
      'run',
      '-d',
      '-m',
      '32m',
      image,
      'sh',
      '-c',
      'x=$(head -c 100000000 /dev/zero | tr "\\0" x)',
    );
    expect(said('wait', id)).toBe('137');
    await eventually(() => record(id).status === 'exited', 'the end on disk');
    expect(record(id).oomKilled).toBe(true);
  });

  it('waits for what the program leaves, where that has no PID 1 of its own', async () => {
    const script = 'for i in 1 2 3 4 5 6 7 8 9 10; do (sleep 0.2 &) ; done; sleep 1; echo ok; sleep 60';
    const id = said('run', '-d', '--pid', 'host', image, 'sh', '-c', script);
    await eventually(() => said('logs', id) === 'ok', 'orphans');
    const { pid } = record(id).monitor;
    const children = execFileSync('ps', ['--ppid', String(pid), '-o', 'stat='], { encoding: 'utf8' });
    expect(children.trim().split('\n').length).toBe(1);
    expect(children).not.toContain('Z');
  });

  it('does not wait for ever for orphans that have its pipe', async () => {
    const id = said('run', '-d', '--pid', 'host', image, 'sh', '-c', 'sleep 300 & echo left');
    expect(said('wait', id)).toBe('0');
    await eventually(() => record(id).status === 'exited', 'the end on disk');
    expect(said('logs', id)).toBe('left');
    expect(existsSync(record(id).cgroup)).toBe(false);
  });

  it('starts what a helper clones, too', () => {
    const id = said('run', '-d', '--oom-score-adj', '300', image, 'cat', '/proc/self/oom_score_adj');
    expect(said('wait', id)).toBe('0');
    expect(said('logs', id)).toBe('300');
    const { status, stdout, stderr } = tsbox(['run', '-d', '--userns', 'auto', image, 'id', '-u']);
    if (status !== 0) throw new Error(stderr);
    expect(said('wait', stdout.trim())).toBe('0');
    expect(said('logs', stdout.trim())).toBe('0');
  });
});
