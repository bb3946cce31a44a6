import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { COMMANDS } from '../../../src/cli/commands.ts';
import { tsbox } from '../../../src/cli/index.ts';
import { report } from '../../../src/cli/report.ts';
import { KernelError, TsboxError } from '../../../src/index.ts';

const written: string[] = [];
vi.mock('../../../src/cli/output.ts', () => ({
  print: (text: string) => written.push(`out: ${text}`),
  printError: (text: string) => written.push(text),
}));

beforeEach(() => {
  written.length = 0;
  vi.stubEnv('TSBOX_DEBUG', '');
});
afterEach(() => vi.unstubAllEnvs());

describe('report', () => {
  it('says what and what to do, and gives the exit code', () => {
    const code = report(
      new TsboxError('NO_PROGRAM', 'no such program: ls', { advice: 'install it', exitCode: 127 }),
    );
    expect(code).toBe(127);
    expect(written).toEqual(['tsbox: no such program: ls\n  install it\n']);
  });

  it('exits with 125 unless the error says otherwise', () => {
    expect(report(new KernelError('mount', 1, { path: '/proc' }))).toBe(125);
    expect(written).toEqual(['tsbox: mount `/proc`: Operation not permitted (EPERM)\n']);
  });

  it("takes an error of the system for an answer, not for tsbox's fault", () => {
    const error = Object.assign(new Error("EACCES: permission denied, open '/x'"), {
      syscall: 'open',
      code: 'EACCES',
    });
    expect(report(error)).toBe(125);
    expect(written).toEqual(["tsbox: EACCES: permission denied, open '/x'\n"]);
  });

  it('says what to do about a disk that is full or read-only', () => {
    vi.stubEnv('TSBOX_ROOT', '/store');
    const failure = (code: string, path?: string) =>
      report(Object.assign(new Error(`${code}: write`), { syscall: 'write', code, path }));
    failure('ENOSPC');
    failure('EROFS', '/store/containers/x');
    failure('EROFS', '/elsewhere');
    expect(written).toEqual([
      'tsbox: ENOSPC: write\n  its disk is full; `tsbox system df` shows what can be removed\n',
      'tsbox: EROFS: write\n  set TSBOX_ROOT to a directory that can be written\n',
      'tsbox: EROFS: write\n',
    ]);
  });

  it('admits a fault of its own, with the stack on request', () => {
    expect(report(new TypeError('x is undefined'))).toBe(125);
    expect(written.join('')).toMatch(
      /^tsbox: unexpected error: TypeError: x is undefined\n {2}this is a fault of tsbox; set TSBOX_DEBUG=1/,
    );
    written.length = 0;
    vi.stubEnv('TSBOX_DEBUG', '1');
    report(new TypeError('x is undefined', { cause: new Error('deeper') }));
    expect(written.join('')).toMatch(/report\.test\.ts:\d+[\s\S]*caused by Error: deeper/);
  });

  it('lets no escape sequence of a name through', () => {
    report(new TsboxError('X', 'no image \x1b]0;owned\x07'));
    expect(written).toEqual(['tsbox: no image \\u001b]0;owned\\u0007\n']);
  });
});

describe('tsbox', () => {
  it('suggests the command that was meant', async () => {
    expect(await tsbox(['rnu', 'alpine'])).toBe(125);
    expect(written).toEqual(['tsbox: no such command: "rnu"; did you mean run?\n  see `tsbox --help`\n']);
  });

  it('knows no command by a name of JavaScript', async () => {
    expect(await tsbox(['constructor'])).toBe(125);
    expect(written.join('')).toContain('no such command: "constructor"');
  });

  it('suggests the flag that was meant', async () => {
    expect(await tsbox(['run', '--memroy', '64m', 'alpine'])).toBe(125);
    expect(written).toEqual([
      "tsbox: unknown option '--memroy'; did you mean --memory?\n  see `tsbox run --help`\n",
    ]);
  });

  // `__complete` is for the shells' completion, not for people.
  it.each(Object.keys(COMMANDS).filter((name) => !name.startsWith('__')))(
    'prints the help of %s, with examples',
    async (name) => {
      expect(await tsbox([name, '--help'])).toBe(0);
      const text = written.join('');
      expect(text).toContain(`Usage: tsbox ${name} `);
      expect(text).toContain('\nExamples:\n');
      written.length = 0;
      expect(await tsbox(['help', name])).toBe(0);
      expect(written.join('')).toBe(text);
    },
  );

  it('prints its own help and version', async () => {
    for (const args of [[], ['--help'], ['-h'], ['help']]) {
      written.length = 0;
      expect(await tsbox(args)).toBe(0);
      expect(written.join('')).toContain('Usage: tsbox COMMAND');
    }
    written.length = 0;
    expect(await tsbox(['--version'])).toBe(0);
    expect(written.join('')).toMatch(/^out: tsbox \d+\.\d+\.\d+\n$/);
  });
});
