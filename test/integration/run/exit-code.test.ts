import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { leavesNothing } from '../support/leftovers.ts';
import { describeRoot, run, scratch } from '../support/tsbox.ts';

describeRoot('exit codes', () => {
  leavesNothing();
  const directory = scratch();

  test.each([0, 1, 42, 124, 125, 126, 127, 128, 255])('%i is the program’s', (code) => {
    expect(run([], ['sh', '-c', `exit ${code}`])).toEqual({ status: code, stdout: '', stderr: '' });
  });

  test.each([
    ['KILL', 137],
    ['TERM', 143],
    ['SEGV', 139],
    ['ABRT', 134],
    ['USR1', 138],
  ])('a program that SIG%s ends: %i', (signal, code) => {
    // Not as PID 1, which a signal without a handler does not end, but below one that passes the status on.
    expect(run(['--init'], ['sh', '-c', `kill -${signal} $$`])).toEqual({
      status: code,
      stdout: '',
      stderr: '',
    });
  });

  test('127: not there', () => {
    expect(run([], ['no-such-program', 'x'])).toEqual({
      status: 127,
      stdout: '',
      stderr: "tsbox: cannot run `no-such-program`: not found in the image's PATH\n",
    });
    expect(run([], ['/no/such'])).toMatchObject({
      status: 127,
      stderr: expect.stringMatching(/^tsbox: cannot run `\/no\/such`: no such file in the image\n/),
    });
    expect(run(['--init'], ['no-such-program'])).toMatchObject({
      status: 127,
      stderr: expect.stringContaining('no-such-program'),
    });
  });

  test('126: there, but not to be run', () => {
    expect(run([], ['/etc/passwd'])).toMatchObject({
      status: 126,
      stderr: expect.stringMatching(/^tsbox: cannot run `\/etc\/passwd`: permission denied\n/),
    });
    expect(run([], ['/etc'])).toMatchObject({
      status: 126,
      stderr: expect.stringContaining('permission denied'),
    });
    expect(run(['--init'], ['/etc/passwd'])).toMatchObject({
      status: 126,
      stderr: expect.stringContaining('/etc/passwd'),
    });
  });

  test('a file that is no program', () => {
    const data = mkdtempSync(join(directory, 'data-'));
    writeFileSync(join(data, 'empty'), '', { mode: 0o755 });
    writeFileSync(join(data, 'noise'), Buffer.from([1, 2, 3, 4, 5, 6, 7, 8]), { mode: 0o755 });
    writeFileSync(join(data, 'lost'), '#!/no/such/interpreter\n', { mode: 0o755 });
    const volume = ['-v', `${data}:/d`];
    for (const name of ['empty', 'noise']) {
      expect(run(volume, [`/d/${name}`])).toMatchObject({
        status: 126,
        stderr: expect.stringContaining('exec format error'),
      });
    }
    expect(run(volume, ['/d/lost'])).toMatchObject({
      status: 127,
      stderr: expect.stringContaining('interpreter'),
    });
  });
});
