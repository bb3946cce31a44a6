import { describe, expect, it } from 'vitest';
import { badOption } from '../../src/engine/options/index.ts';
import { didYouMean, suggest } from '../../src/suggest.ts';

describe('suggest', () => {
  const words = ['run', 'images', 'import', 'memory', 'memory-swap', 'rmi'];

  it.each([
    ['rnu', 'run'],
    ['imagse', 'images'],
    ['IMAGES', 'images'],
    ['memroy', 'memory'],
    ['memory-swp', 'memory-swap'],
    ['imprt', 'import'],
  ])('%s: %s', (typed, meant) => {
    expect(suggest(typed, words)).toBe(meant);
  });

  it.each(['', 'xyzzy', 'container', 'r'.repeat(100_000)])('knows nothing near %j', (typed) => {
    expect(suggest(typed.slice(0, 100_000), words)).toBeUndefined();
  });

  it('takes the nearest, not the first', () => {
    expect(suggest('shmsize', ['shm-sizes', 'shm-size'])).toBe('shm-size');
  });

  it('ends a message', () => {
    expect(didYouMean('nofiles', ['nofile', 'nproc'])).toBe('; did you mean nofile?');
    expect(didYouMean('zzz', ['nofile', 'nproc'])).toBe('');
  });
});

describe('badOption', () => {
  it('is one line that is safe on a terminal, whatever the value holds', () => {
    const { message, exitCode } = badOption('--name', 'a\n\u001b[31mb\u009b\u202e\u2066\u2028', 'no');
    expect(message).toBe('--name "a\\n\\u001b[31mb\\u{9b}\\u{202e}\\u{2066}\\u{2028}": no');
    expect(exitCode).toBe(125);
    expect(badOption('--name', 'x'.repeat(5000), 'no').message.length).toBeLessThan(250);
    expect(badOption('--name', 'größe', 'no').message).toBe('--name größe: no');
    expect(badOption('--name', '', 'no').message).toBe('--name "": no');
  });
});
