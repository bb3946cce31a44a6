import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'vitest';
import { type Output, store } from '../support/tsbox.ts';
import { environment, imageRootfs, runtime } from './support.ts';

/** Tests with an engine; they say what is missing. */
export function describeEngine(name: string, programs: readonly string[], tests: () => void): void {
  const missing = programs.filter((program) => spawnSync('which', [program]).status !== 0);
  const why =
    store === '' || !existsSync(runtime)
      ? 'root and the built command'
      : missing.length > 0
        ? `${missing.join(', ')}: scripts/setup --test`
        : undefined;
  describe.skipIf(why !== undefined)(why === undefined ? name : `${name} (skipped: needs ${why})`, tests);
}

/** An engine's runtime is a program without arguments, found by a clean PATH: this one knows its Node. */
export function wrapper(directory: string): string {
  const file = join(directory, 'tsbox-oci');
  writeFileSync(file, `#!/bin/sh\nexec '${process.execPath}' '${runtime}' "$@"\n`);
  chmodSync(file, 0o755);
  return file;
}

/** The tests' image as a tar, from its layer in their own store. */
export function imageTar(directory: string): string {
  const file = join(directory, 'rootfs.tar');
  const { status, stderr } = spawnSync('tar', ['-C', imageRootfs(), '-cf', file, '.'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return file;
}

/** Runs a program of the engine's. Output goes to pipes that its containers must not keep open. */
export function call(
  program: string,
  args: readonly string[],
  more: { env?: NodeJS.ProcessEnv; input?: string } = {},
): Output {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    env: environment(more.env),
    input: more.input ?? '',
    encoding: 'utf8',
    timeout: 50_000,
  });
  if (error) throw error;
  return { status, stdout, stderr };
}
