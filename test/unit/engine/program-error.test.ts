import { expect, test } from 'vitest';
import type { Prepared } from '../../../src/engine/prepare.ts';
import { programError } from '../../../src/engine/program-error.ts';
import { Errno } from '../../../src/kernel/index.ts';
import type { Arena } from '../../../src/launch/index.ts';

/** What is said of a program whose execs in the directories of PATH failed so. */
function said(name: string, errnos: (keyof typeof Errno)[], init?: string) {
  const prepared = { built: { spec: { process: { args: [name] } } }, input: { init } } as unknown as Prepared;
  const outcomes = errnos.map((errno) => ({
    step: { stage: 'S', call: 'execve', args: [`/bin/${name}`], why: 'become the program' },
    errno: Errno[errno],
  }));
  const last = Errno[errnos.at(-1) as keyof typeof Errno];
  const { exitCode, message } = programError(
    prepared,
    { outcomes: () => outcomes } as unknown as Arena,
    last,
  );
  return [exitCode, message];
}

test('as a shell: 127 for what is not there, 126 for what cannot be run', () => {
  expect(said('x', ['ENOENT', 'ENOTDIR'])).toEqual([127, "cannot run `x`: not found in the image's PATH"]);
  expect(said('/x', ['ENOENT'])).toEqual([127, 'cannot run `/x`: no such file in the image']);
  expect(said('x', ['EACCES'])).toEqual([126, 'cannot run `x`: permission denied']);
  expect(said('x', ['ENOEXEC'])).toEqual([
    126,
    'cannot run `x`: not a program for this machine (exec format error)',
  ]);
  expect(said('x', ['E2BIG'])[0]).toBe(126);
  expect(said('x', ['E2BIG'])[1]).toMatch(/^cannot run `x`: become the program: execve `\/bin\/x`: .*E2BIG/);
});

test('one that may not be run says more than a directory without it, as execvp(3) has it', () => {
  expect(said('x', ['EACCES', 'ENOENT'])[1]).toBe('cannot run `x`: permission denied');
  expect(said('x', ['EACCES', 'ENOEXEC'])[1]).toContain('exec format error');
});

test('a reaper that cannot be run is no fault of the program', () => {
  expect(said('x', ['ENOENT'], '/usr/lib/tsbox/init')).toEqual([
    125,
    'become the program: execve `/bin/x`: No such file or directory (ENOENT)',
  ]);
});
