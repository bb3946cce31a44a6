import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { pushLayout, testImages } from '../support/images.ts';
import { type Registry, registryMissing, startRegistry } from '../support/registry.ts';
import { describeRoot, scratch, store, tsbox } from '../support/tsbox.ts';
import { describeTree } from './support/tree.ts';

const images = registryMissing ?? testImages();
const why = typeof images === 'string' ? ` (skipped: ${images})` : '';

describeRoot(`images of real packages, from Debian's registry${why}`, () => {
  if (typeof images === 'string') {
    it.skip(images, () => {});
    return;
  }
  const place = scratch();
  let registry: Registry;
  beforeAll(async () => {
    registry = await startRegistry({ auth: { user: 'tester', password: 'secret word' } });
  });
  afterAll(() => registry.stop());

  const pull = (name: 'one' | 'five' | 'mixed') => {
    const reference = `${registry.host}/real/${name}:latest`;
    const digest = pushLayout(images[name], reference, { auth: { user: 'tester', password: 'secret word' } });
    const file = join(place, 'auth.json');
    const env = { TSBOX_AUTH_FILE: file };
    const login = ['login', '-u', 'tester', '--password-stdin', registry.host];
    expect(tsbox(login, { input: 'secret word\n', env })).toMatchObject({ status: 0 });
    expect(tsbox(['pull', '-q', reference], { env })).toEqual({
      status: 0,
      stdout: `${digest}\n`,
      stderr: '',
    });
    return reference;
  };
  /** What GNU tar makes of an archive. */
  const unpacked = (tar: string, name: string) => {
    const directory = join(place, name);
    mkdirSync(directory, { mode: 0o755 });
    const flags = ['--xattrs', '--xattrs-include=*', '--numeric-owner', '--same-permissions', '--same-owner'];
    execFileSync('tar', ['--extract', ...flags, '--file', tar, '-C', directory], { stdio: 'pipe' });
    return describeTree(directory);
  };
  const layer = (diffId: string) => describeTree(join(store, 'layers', diffId.slice(7), 'diff'));

  it.each(['one', 'five', 'mixed'] as const)('%s is pulled, blob for blob', (name) => {
    pull(name);
    const { descriptor, config, layers, path } = images[name];
    for (const { digest } of [descriptor, config, ...layers]) {
      const file = join('blobs/sha256', digest.slice(7));
      execFileSync('cmp', [join(path, file), join(store, 'images', file)]);
    }
  });

  it('layers are what GNU tar makes of them', () => {
    const { diffIds } = images.five;
    // Those without whiteouts, which tar does not know.
    for (const index of [0, 1, 4]) {
      expect(layer(diffIds[index] as string)).toEqual(unpacked(images.tars[index] as string, `tar${index}`));
    }
  });

  it('all layers together are what they should be in a container', () => {
    const reference = `${registry.host}/real/mixed:latest`;
    const show = (script: string) => {
      const { status, stdout, stderr } = tsbox([
        'run',
        '--rm',
        '--pull',
        'never',
        reference,
        'sh',
        '-c',
        script,
      ]);
      expect([status, stderr]).toEqual([0, '']);
      return stdout.trim().split('\n');
    };
    expect(
      show('pwd; echo $FROM; echo /hidden/* /replaced/* /gone /gone/*; cat symlink file/below setuid'),
    ).toEqual(['/kinds', 'registry', '/hidden/new /replaced/new /gone /gone/*', '3', '3', 'changed']);
    expect(show('ls -d hard fifo null sub/hard implied 2>/dev/null; find /many -type f | wc -l')).toEqual([
      'null',
      'sub/hard',
      '1000',
    ]);
    // The fourth layer has files in them, and does not describe them.
    expect(show("stat -c '%a %u:%g' /implied /implied/parent")).toEqual(['711 12:34', '1770 56:78']);
  });
});
