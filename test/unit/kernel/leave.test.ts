import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..', '..');
let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'tsbox-leave-'));
  writeFileSync(join(directory, 'package.json'), '{}');
  for (const name of ['dist', 'node_modules']) symlinkSync(join(root, name), join(directory, name));
  mkdirSync(join(directory, 'bundle'));
  buildSync({
    stdin: {
      contents:
        "export { leave } from './src/kernel/leave.ts'; export { syscall } from './src/kernel/syscall.ts';",
      resolveDir: root,
      loader: 'ts',
    },
    outfile: join(directory, 'bundle', 'leave.cjs'),
    bundle: true,
    platform: 'node',
    format: 'cjs',
    define: { 'import.meta.dirname': '__dirname' },
    logLevel: 'error',
  });
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** What a program does that ends with `leave`, in a shell that says how it has left its streams. */
function run(script: string, { flags = [] as string[], env = {}, native = true } = {}) {
  const file = join(directory, 'program.cjs');
  const load = native ? "syscall('getpid', []);" : '';
  writeFileSync(file, `const { leave, syscall } = require('./bundle/leave.cjs');\n${load}\n${script}`);
  const { NODE_OPTIONS: _, NODE_V8_COVERAGE: __, ...rest } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, file], {
    encoding: 'utf8',
    env: { ...rest, ...env },
  });
  return { status, stdout, stderr };
}

const TOLD = "process.on('exit', (code) => require('node:fs').writeSync(1, 'told ' + code));";
/** Node stops its threads by this, and whoever is stopped at once never comes to it. */
const LATE =
  "process.binding; process.reallyExit = (code) => require('node:fs').writeSync(1, ' late ' + code);";

test.each([true, false])('who listens for the exit is told, once; native calls: %s', (native) => {
  expect(run(`${TOLD} leave(3);`, { native })).toEqual({ status: 3, stdout: 'told 3', stderr: '' });
});

test('whoever listens may change the code', () => {
  expect(run("process.on('exit', () => { process.exitCode = 9; }); leave(3);").status).toBe(9);
});

test('nothing of Node’s own way out is done', () => {
  expect(run(`${LATE} leave(3);`)).toEqual({ status: 3, stdout: '', stderr: '' });
});

test.each<[string, Parameters<typeof run>[1]]>([
  ['where nothing native was needed', { native: false }],
  ['with a flag of Node’s', { flags: ['--no-warnings'] }],
  ['with options of Node’s', { env: { NODE_OPTIONS: '--no-warnings' } }],
])('all of it is done %s', (_, how) => {
  expect(run(`${LATE} leave(3);`, how).stdout).toBe(' late 3');
});

test('a report that was asked for is written', () => {
  const coverage = join(directory, 'coverage');
  expect(run('leave(0);', { env: { NODE_V8_COVERAGE: coverage } }).status).toBe(0);
  expect(readdirSync(coverage)).toHaveLength(1);
});

test('all of it is done where Node has made a stream non-blocking', () => {
  expect(run(`process.stdin.resume(); process.stdin.pause(); ${LATE} leave(3);`).stdout).toBe(' late 3');
});
