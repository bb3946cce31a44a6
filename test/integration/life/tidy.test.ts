import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { describeRoot, image, store, tsbox } from '../support/tsbox.ts';
import { failed, removesAll, said, stateOf } from './support.ts';

const complete = (...words: string[]) => said('__complete', ...words).split('\n');

describeRoot('tidying up and completing', () => {
  removesAll();

  test('container prune removes what does not run, after asking', () => {
    said('run', '-d', '--name', 'live', image, 'sleep', '100');
    said('run', '--name', 'over', '--label', 'keep', image, 'true');
    said('create', '--name', 'new', image, 'true');
    expect(tsbox(['container', 'prune'], { input: 'n\n' }).stdout).toBe(
      'WARNING! This will remove all stopped containers.\nAre you sure you want to continue? [y/N] ',
    );
    said('container', 'prune', '-f', '--filter', 'until=1h');
    expect(stateOf('new')).toBe('created');
    expect(said('container', 'prune', '-f', '--filter', 'label!=keep')).toMatch(
      /^Deleted Containers:\n[0-9a-f]{64}\n\nTotal reclaimed space: 0B$/,
    );
    expect(said('container', 'ls', '-a', '--format', '{{.Names}}').split('\n').sort()).toEqual([
      'live',
      'over',
    ]);
    expect(failed(tsbox(['container', 'prune', '-f', '--filter', 'x=y'])).stderr).toContain('until, label');
  });

  test('system prune removes all that is not used, and no volume with a name', () => {
    said('run', '-d', '--name', 'live', '-v', 'named-live:/v', image, 'sleep', '100');
    said('run', '--name', 'over', '-v', '/x', '-v', 'named-over:/v', image, 'true');
    said('system', 'prune', '-f', '--volumes');
    expect(said('ps', '-a', '--format', '{{.Names}}')).toBe('live');
    expect(said('volume', 'ls', '-q')).toBe('named-live\nnamed-over');
    expect(said('ps', '-q', '--filter', 'volume=named-over')).toBe('');
    expect(said('ps', '--format', '{{.Names}}', '--filter', 'volume=named-live')).toBe('live');
    expect(said('images', '-q')).not.toBe('');
    said('volume', 'prune', '-af');
  });

  test('Tab completes commands and names', () => {
    said('run', '-d', '--name', 'running', image, 'sleep', '100');
    said('create', '--name', 'resting', image, 'true');
    said('volume', 'create', 'rarely');
    expect(complete('ren')).toEqual(['rename']);
    expect(complete('volume', 'i')).toEqual(['inspect']);
    expect(complete('rm', 'r')).toEqual(['resting', 'running']);
    expect(complete('container', 'stop', 'r')).toEqual(['running']);
    expect(complete('start', 'r')).toEqual(['resting']);
    expect(complete('volume', 'rm', 'r')).toEqual(['rarely']);
    expect(complete('run', '-v', 'r')).toEqual(['rarely:']);
    expect(complete('run', '--rm', image.slice(0, 3))).toEqual([image, `${image}:latest`]);
    expect(complete('run', '--memory-s')).toEqual(['--memory-swap']);
    expect(complete('exec', 'running', 'r')).toEqual(['']);
    said('volume', 'rm', 'rarely');
  });

  test('nothing is offered that a shell could take for more than a word', () => {
    const index = join(store, 'images', 'index.json');
    const before = readFileSync(index, 'utf8');
    const { manifests, ...rest } = JSON.parse(before);
    const annotations = { 'org.opencontainers.image.ref.name': 'evil$(reboot):latest' };
    try {
      writeFileSync(
        index,
        JSON.stringify({ ...rest, manifests: [...manifests, { ...manifests[0], annotations }] }),
      );
      expect(complete('rmi', 'ev')).toEqual(['']);
      expect(complete('rmi', image.slice(0, 3))).toContain(image);
    } finally {
      writeFileSync(index, before);
    }
  });
});
