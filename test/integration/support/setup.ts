import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** A TSBOX_ROOT with the image in it; empty where the tests cannot run. */
    store: string;
    /** `alpine`, or `busybox` where there is no Alpine to import. */
    image: string;
  }
}

const checkout = join(import.meta.dirname, '..', '..', '..');

/** Imports the real Alpine into a store that lives as long as this run of the tests. */
export function setup(project: TestProject): (() => void) | undefined {
  const cli = process.env.TSBOX_TEST_CLI ?? join(checkout, 'dist', 'tsbox.cjs');
  if (process.geteuid?.() !== 0 || !existsSync(cli)) {
    project.provide('store', '');
    project.provide('image', '');
    return undefined;
  }
  const directory = mkdtempSync(join(tmpdir(), 'tsbox-integration-'));
  const store = join(directory, 'store');
  mkdirSync(join(directory, 'tmp'));
  const archive = alpineArchive();
  const env = { ...process.env, TSBOX_ROOT: store };
  // Here, too, without the machine's network: network.ts has the tests themselves.
  const tsbox = (...args: string[]) =>
    execFileSync('unshare', ['--net', process.execPath, cli, ...args], { env, stdio: 'pipe' });
  if (archive !== undefined) tsbox('import', archive, 'alpine');
  else console.warn('no Alpine to test with (TSBOX_TEST_ALPINE names one): the embedded busybox instead');
  const image = archive === undefined ? 'busybox' : 'alpine';
  // Makes what every later run finds there.
  tsbox('run', '--rm', image, 'true');
  for (const name of ['cache', 'volumes']) mkdirSync(join(store, name), { recursive: true, mode: 0o700 });
  project.provide('store', store);
  project.provide('image', image);
  return () => rmSync(directory, { recursive: true, force: true });
}

function alpineArchive(): string | undefined {
  const { TSBOX_TEST_ALPINE } = process.env;
  if (TSBOX_TEST_ALPINE !== undefined) return TSBOX_TEST_ALPINE || undefined;
  const beside = join(checkout, '..', 'shared', 'images');
  if (!existsSync(beside)) return undefined;
  const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  const name = readdirSync(beside).find((file) => /^alpine-minirootfs-/.test(file) && file.includes(machine));
  return name && join(beside, name);
}
