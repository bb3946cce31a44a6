import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, inject } from 'vitest';
import { findCgroup } from '../../../src/cgroup/index.ts';

/** The real command, as built; `TSBOX_TEST_CLI` for another build. */
export const cli =
  process.env.TSBOX_TEST_CLI ?? join(import.meta.dirname, '..', '..', '..', 'dist', 'tsbox.cjs');

/** The store of these tests; see setup.ts. */
export const store = inject('store');

/** `alpine`, or `busybox` where there is none. */
export const image = inject('image');

/** Where tsbox's temporary files would be. */
export const temporary = store === '' ? '' : join(dirname(store), 'tmp');

const missing = process.geteuid?.() === 0 ? 'the built command: npm run build' : 'root';

/** Tests that make containers. Without root they say so. */
export const describeRoot = (name: string, tests: () => void) =>
  describe.skipIf(store === '')(store === '' ? `${name} (skipped: needs ${missing})` : name, tests);

export interface Output {
  status: number | null;
  stdout: string;
  stderr: string;
}

interface Settings {
  input?: string | Buffer;
  env?: NodeJS.ProcessEnv;
  cwd?: string;
}

/** The command finds its Node by PATH: the one that runs these tests. */
export const environment = () => ({
  ...process.env,
  PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
  TSBOX_ROOT: store,
  TMPDIR: temporary,
});

/** Runs the command and returns what its user sees. */
export function tsbox(args: readonly string[], { input = '', env, cwd }: Settings = {}): Output {
  const { status, stdout, stderr, error } = spawnSync(cli, args, {
    input,
    cwd,
    env: { ...environment(), ...env },
    encoding: 'utf8',
    timeout: 30_000,
    maxBuffer: 1 << 28,
  });
  if (error) throw error;
  return { status, stdout, stderr };
}

/** `tsbox run --rm FLAGS IMAGE COMMAND`. */
export function run(flags: readonly string[], command: readonly string[], settings?: Settings): Output {
  return tsbox(['run', '--rm', ...flags, image, ...command], settings);
}

/** What a shell script prints in a container. A failure of anything is an error with all that was said. */
export function inside(flags: readonly string[], script: string, settings?: Settings): string {
  const { status, stdout, stderr } = run(flags, ['sh', '-ec', script], settings);
  if (status !== 0 || stderr !== '') throw new Error(`exit code ${status}\n${stdout}\n${stderr}`);
  return stdout;
}

/** The error of a command line that tsbox refuses: one line, perhaps one more of advice, exit code 125, and nothing on stdout. */
export function refused(flags: readonly string[], command: readonly string[] = ['true']): string {
  const { status, stdout, stderr } = run(flags, command);
  const lines = stderr.trimEnd().split('\n');
  if (status !== 125 || stdout !== '' || lines.length > 2 || !stderr.startsWith('tsbox: ')) {
    throw new Error(`not refused in one clear line: exit code ${status}\n${stdout}\n${stderr}`);
  }
  if (/unexpected error|undefined|\[object|NaN/.test(stderr)) throw new Error(`a fault of tsbox: ${stderr}`);
  return lines[0] ?? '';
}

/** A command that runs on: `tsbox run --rm FLAGS IMAGE COMMAND`. */
export class Running {
  readonly process: ChildProcessWithoutNullStreams;
  readonly ended: Promise<Output & { signal: string | null }>;
  #stdout = '';
  #stderr = '';

  constructor(flags: readonly string[], command: readonly string[], settings: Settings = {}) {
    this.process = spawn(cli, ['run', '--rm', ...flags, image, ...command], {
      cwd: settings.cwd,
      env: { ...environment(), ...settings.env },
    });
    this.process.stdout.setEncoding('utf8').on('data', (chunk) => {
      this.#stdout += chunk;
    });
    this.process.stderr.setEncoding('utf8').on('data', (chunk) => {
      this.#stderr += chunk;
    });
    this.ended = once(this.process, 'close').then(([status, signal]) => ({
      status,
      signal,
      stdout: this.#stdout,
      stderr: this.#stderr,
    }));
  }

  /** Resolves when the text was on standard output. */
  async says(text: string): Promise<void> {
    await eventually(
      () => {
        if (this.#stdout.includes(text)) return true;
        if (this.process.exitCode !== null) throw new Error(`ended: ${this.#stdout}\n${this.#stderr}`);
        return false;
      },
      `${JSON.stringify(text)} on standard output`,
    );
  }
}

/** Waits until it is so. */
export async function eventually(
  isSo: () => boolean,
  what: string | (() => string),
  seconds = 10,
): Promise<void> {
  for (const deadline = Date.now() + seconds * 1000; !isSo(); await sleep(20)) {
    if (Date.now() > deadline)
      throw new Error(`not within ${seconds} s: ${typeof what === 'string' ? what : what()}`);
  }
}

/** The host's ids of a container's processes, PID 1 first. */
export function processesOf(id: string): number[] {
  const path = join(findCgroup().mountPoint, 'tsbox', id, 'cgroup.procs');
  return readFileSync(path, 'utf8').trim().split('\n').map(Number);
}

/** A directory of the host for one test file, removed after it. */
export function scratch(): string {
  const path = mkdtempSync(join(tmpdir(), 'tsbox-scratch-'));
  afterAll(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

export const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A line `Name:\tvalue` of a status file of /proc. */
export function field(status: string, name: string): string | undefined {
  return new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1];
}

export const hostFile = (path: string) => readFileSync(path, 'utf8');
