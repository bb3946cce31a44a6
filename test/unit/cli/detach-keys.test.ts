import { describe, expect, it } from 'vitest';
import { DetachKeys, parseDetachKeys } from '../../../src/cli/detach-keys.ts';

describe('--detach-keys', () => {
  it.each([
    [undefined, [16, 17]],
    ['ctrl-p,ctrl-q', [16, 17]],
    ['ctrl-a,d', [1, 100]],
    ['ctrl-@,ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_', [0, 27, 28, 29, 30, 31]],
    ['', []],
  ])('%s', (text, keys) => {
    expect(parseDetachKeys(text)).toEqual(keys);
  });

  it.each(['ctrl-1', 'ab', 'ctrl-', 'a,,b', 'é'])('%s are none', (text) => {
    expect(() => parseDetachKeys(text)).toThrow(/--detach-keys/);
  });
});

describe('what is typed', () => {
  const typed = (keys: number[], ...chunks: string[]) => {
    const watch = new DetachKeys(keys);
    return chunks.map((chunk) => {
      const { passed, complete } = watch.filter(Buffer.from(chunk, 'latin1'));
      return passed.toString('latin1') + (complete ? '|' : '');
    });
  };

  it.each([
    [[16, 17], ['ls\r'], ['ls\r']],
    [[16, 17], ['ls\r\x10\x11rest'], ['ls\r|']],
    [
      [16, 17],
      ['\x10', '\x11'],
      ['', '|'],
    ],
    [
      [16, 17],
      ['\x10', 'x'],
      ['', '\x10x'],
    ],
    [[16, 17], ['\x10\x10\x11'], ['\x10|']],
    [[24], ['a\x18'], ['a|']],
    [[], ['\x10\x11'], ['\x10\x11']],
  ])('with %j: %j', (keys, chunks, expected) => {
    expect(typed(keys, ...chunks)).toEqual(expected);
  });
});
