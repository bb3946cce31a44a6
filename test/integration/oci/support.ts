import { spawnSync } from 'node:child_process';
import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';
import { findCgroup } from '../../../src/cgroup/index.ts';
import { sampleConfig } from '../../../src/oci/sample-config.ts';
import { image, type Output, store, tsbox } from '../support/tsbox.ts';

/** The real command, as built; `TSBOX_TEST_OCI` for another build. */
export const runtime =
  process.env.TSBOX_TEST_OCI ?? join(import.meta.dirname, '..', '..', '..', 'dist', 'tsbox-oci.cjs');

/** A directory of these tests, gone after them. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'tsbox-oci-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export const environment = (more: NodeJS.ProcessEnv = {}) => ({
  ...process.env,
  PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
  TSBOX_ROOT: store,
  ...more,
});

// biome-ignore lint/suspicious/noExplicitAny: tests put anything into it
export type AnyConfig = any;

/** The root filesystem of the tests' image: its one layer. The store may hold other images' layers, too, left by other tests. */
export function imageRootfs(): string {
  const { stdout } = tsbox(['image', 'inspect', '--format', '{{index .RootFS.Layers 0}}', image]);
  return join(store, 'layers', stdout.trim().slice('sha256:'.length), 'diff');
}

/** Containers of one test file: their own `--root`, and bundles. */
export class Containers {
  readonly directory = temporaryDirectory();
  readonly root = join(this.directory, 'state');
  #bundles = 0;

  constructor() {
    afterAll(() => {
      for (const id of this.ids()) this.run('delete', '--force', id);
    });
  }

  ids(): string[] {
    return existsSync(this.root) ? readdirSync(this.root) : [];
  }

  /** A bundle with a root filesystem of its own, in which `sh -c SCRIPT` runs. */
  bundle(script: string, change: (config: AnyConfig) => void = () => {}): string {
    const bundle = join(this.directory, `bundle${this.#bundles++}`);
    mkdirSync(bundle);
    cpSync(imageRootfs(), join(bundle, 'rootfs'), { recursive: true, verbatimSymlinks: true });
    const config: AnyConfig = sampleConfig();
    config.process.terminal = false;
    config.process.args = ['sh', '-c', script];
    config.root.readonly = false;
    change(config);
    writeFileSync(join(bundle, 'config.json'), JSON.stringify(config));
    return bundle;
  }

  run(...args: string[]): Output {
    return this.with({}, ...args);
  }

  with(
    { cwd, input = '', stdio }: { cwd?: string; input?: string; stdio?: (number | 'pipe' | 'ignore')[] },
    ...args: string[]
  ): Output {
    const all = ['--root', this.root, ...args];
    const { status, stdout, stderr, error } = spawnSync(runtime, all, {
      cwd,
      input: stdio ? undefined : input,
      stdio: stdio ?? 'pipe',
      env: environment(),
      encoding: 'utf8',
      timeout: 30_000,
    });
    if (error) throw error;
    return { status, stdout: stdout ?? '', stderr: stderr ?? '' };
  }

  /** What `create` gives. The container has the same standard error, so that is a file, whose end nobody waits for. */
  create(id: string, bundle: string, ...more: string[]): Output {
    const file = join(this.directory, 'stderr');
    const stderr = openSync(file, 'w');
    const args = ['create', '--bundle', bundle, ...more, id];
    const { status } = this.with({ stdio: ['ignore', 'ignore', stderr] }, ...args);
    closeSync(stderr);
    return { status, stdout: '', stderr: read(file) };
  }

  state(id: string): { status: string; pid: number; annotations?: object } {
    const { status, stdout, stderr } = this.run('state', id);
    if (status !== 0) throw new Error(stderr);
    return JSON.parse(stdout);
  }

  cgroup(id: string): string {
    return join(findCgroup().mountPoint, 'tsbox-oci', id);
  }
}

export const read = (file: string) => readFileSync(file, 'utf8');
