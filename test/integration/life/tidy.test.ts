import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { describeRoot, environment, image, tsbox } from '../support/tsbox.ts';
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

  test.each(['bash', 'zsh', 'fish'])('there is a script for %s', (shell) => {
    const script = said('completion', shell);
    expect(script).toContain('__complete');
    if (shell !== 'bash') return;
    const ask = `${script}\nCOMP_WORDS=(tsbox ren); COMP_CWORD=1; tsbox() { echo rename; echo restart; }; _tsbox; echo "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync('bash', ['-c', ask], { encoding: 'utf8', env: environment() });
    expect({ stdout, stderr }).toEqual({ stdout: 'rename\n', stderr: '' });
  });
});
