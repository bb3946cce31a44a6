import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { sampleConfig } from '../../src/oci/sample-config.ts';
import { type AnyConfig, environment, imageRootfs, temporaryDirectory } from './oci/support.ts';
import { describeRoot } from './support/tsbox.ts';

describeRoot('one executable', () => {
  const directory = temporaryDirectory();
  const executable = join(directory, 'sea', 'tsbox');

  beforeAll(() => {
    const script = join(import.meta.dirname, '../../scripts/build-sea.mjs');
    execFileSync(process.execPath, [script, '--output', join(directory, 'sea')], { stdio: 'pipe' });
  }, 120_000);

  /** Without a Node to be found. */
  const run = (program: string, ...args: string[]) => {
    const env = environment({ PATH: '/usr/sbin:/sbin', TSBOX_ROOT: join(directory, 'store') });
    const { status, stdout, stderr } = spawnSync(program, args, { env, encoding: 'utf8', timeout: 60_000 });
    return { status, stdout, stderr };
  };

  test('runs containers', () => {
    const hi = { status: 0, stdout: 'hi\n', stderr: '' };
    for (let time = 1; time <= 3; time++)
      expect(run(executable, 'run', '--rm', '--network', 'none', 'busybox', 'echo', 'hi')).toEqual(hi);
    expect(run(executable, 'ps', '--all', '--quiet')).toMatchObject({ status: 0, stdout: '' });
    expect(run(executable, 'rum')).toMatchObject({ status: 125, stderr: expect.stringContaining('run') });
  });

  test('is the runtime of other engines by the name tsbox-oci', () => {
    const bundle = join(directory, 'bundle');
    mkdirSync(bundle);
    const config: AnyConfig = sampleConfig();
    writeFileSync(
      join(bundle, 'config.json'),
      JSON.stringify({
        ...config,
        root: { path: imageRootfs(), readonly: true },
        process: { ...config.process, terminal: false, args: ['hostname'] },
        hostname: 'inside',
      }),
    );
    const runtime = join(directory, 'sea', 'tsbox-oci');
    const oci = (...args: string[]) => run(runtime, '--root', join(directory, 'state'), ...args);
    for (let time = 1; time <= 5; time++)
      expect(oci('run', '--bundle', bundle, `box${time}`)).toEqual({
        status: 0,
        stdout: 'inside\n',
        stderr: '',
      });
    expect(oci('list', '--quiet')).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(oci('state', 'box1')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('does not exist'),
    });
  });
});
