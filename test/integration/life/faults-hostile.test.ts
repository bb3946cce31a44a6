import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { leavesNothing } from '../support/leftovers.ts';
import { describeRoot, eventually, image, store, tsbox } from '../support/tsbox.ts';
import { removesAll, said, stateOf } from './support.ts';

/** What must not reach a terminal: escape sequences, bells, changes of direction. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/;
const ESCAPES = '\x1b]0;owned\x07\x1b[2J\x1b[31m\u202e';

describeRoot('what a container chooses itself', () => {
  leavesNothing();
  removesAll();

  it('its command, names of processes and labels reach no terminal as they are', async () => {
    // `) R 1` is meant for who parses /proc/PID/stat.
    const script = `printf '%s' "$0) R 1 1" > /proc/self/comm; sleep 1000 & wait`;
    const id = said(
      'run',
      '-d',
      '--name',
      'loud',
      '--label',
      `a=${ESCAPES}`,
      image,
      'sh',
      '-c',
      script,
      ESCAPES,
    );
    for (const args of [
      ['ps', '--no-trunc'],
      ['ps', '--format', '{{.Command}} {{.Labels}}'],
      ['ps', '--format', 'json'],
      ['top', 'loud'],
      ['top', 'loud', '-eo', 'pid,comm,args'],
      ['inspect', 'loud'],
      ['stats', '--no-stream'],
    ])
      expect({ args, output: said(...args) }).toEqual({ args, output: expect.not.stringMatching(CONTROL) });
    expect(said('top', 'loud').split('\n').length).toBeGreaterThanOrEqual(2);
    // The PID still is the one that was started, whatever its name pretends.
    expect(said('stop', '-t', '0', 'loud')).toBe('loud');
    expect(stateOf('loud')).toBe('exited');
    expect(readFileSync(join(store, 'containers', id, 'exit'), 'latin1')).toMatch(/^137 9 0 \d+\n$/);
  });

  it('its output is given back byte for byte, and cannot forge lines of the log', async () => {
    const forged = '2026-11-23T10:00:00.123456789Z stderr F forged';
    const id = said(
      'run',
      '-d',
      '--name',
      'forger',
      image,
      'sh',
      '-c',
      `printf '\\033[2J\\0\\377\\r%s\\n' '${forged}'; printf '${forged}'`,
    );
    said('wait', 'forger');
    const { stdout, stderr } = tsbox(['logs', 'forger']);
    expect(stderr).toBe('');
    expect(stdout).toBe(`\x1b[2J\0\ufffd\r${forged}\n${forged}`);
    const lines = readFileSync(join(store, 'containers', id, 'container.log'), 'latin1')
      .trimEnd()
      .split('\n');
    expect(lines.length).toBe(2);
    for (const line of lines) expect(line).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z stdout [FP] /);
  });

  it('a line of a hundred megabytes takes no more memory than its pieces', { timeout: 120_000 }, async () => {
    said(
      'run',
      '-d',
      '--name',
      'long',
      image,
      'sh',
      '-c',
      'head -c 100000000 /dev/zero | tr "\\0" x; echo; echo end',
    );
    said('wait', 'long');
    const { stdout, status } = tsbox(['logs', 'long']);
    expect(status).toBe(0);
    expect(stdout.length).toBe(100_000_005);
    expect(stdout.endsWith('x\nend\n')).toBe(true);
    expect(said('logs', '--tail', '1', 'long')).toBe('end');
    const pieces = tsbox(['logs', '-t', '--tail', '1', 'long']).stdout;
    expect(pieces).toMatch(/^\S+Z end\n$/);
  });
});

describeRoot('orphans', () => {
  leavesNothing();
  removesAll();

  it('ten thousand of them, with --init: none stays a zombie, and none becomes a child of the host', {
    timeout: 240_000,
  }, async () => {
    // Each `( … & )` leaves a child whose parent is gone.
    const script = 'i=0; while [ $i -lt 10000 ]; do ( : & ); i=$((i+1)); done; echo done; exec sleep 1000';
    const id = said('run', '-d', '--init', '--name', 'mother', image, 'sh', '-c', script);
    const adopted: string[] = [];
    await eventually(
      () => {
        adopted.push(...childrenOfInit().filter((pid) => cgroupOf(pid).includes(id)));
        return said('logs', 'mother') === 'done';
      },
      'all of them',
      200,
    );
    await eventually(() => said('top', 'mother', '-eo', 'pid,stat').split('\n').length === 3, 'no zombie');
    expect(adopted).toEqual([]);
  });
});

function childrenOfInit(): string[] {
  return readFileSync('/proc/1/task/1/children', 'latin1').trim().split(' ').filter(Boolean);
}

function cgroupOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cgroup`, 'latin1');
  } catch {
    return ''; // it has just ended
  }
}
