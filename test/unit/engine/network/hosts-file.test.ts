import { linkSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { replaceBlock, withBlock } from '../../../../src/engine/network/hosts-file.ts';

const BEGIN = '# tsbox: who is in the same networks; these lines are rewritten as containers come and go\n';
const END = '# tsbox: end\n';

describe('our lines in a hosts file', () => {
  test.each([
    ['an empty file', '', `${BEGIN}new\n${END}`],
    ['one without ours', 'a\n', `a\n${BEGIN}new\n${END}`],
    ['one without a last newline', 'a', `a\n${BEGIN}new\n${END}`],
    ['one with ours in the middle', `a\n${BEGIN}old\nold\n${END}b\n`, `a\n${BEGIN}new\n${END}b\n`],
    ['one that begins with ours', `${BEGIN}old\n${END}b`, `${BEGIN}new\n${END}b`],
    ['one whose end somebody took away', `a\n${BEGIN}old\nb\n`, `a\n${BEGIN}new\n${END}`],
    ['one where only the end is left', `a\n${END}b\n`, `a\n${END}b\n${BEGIN}new\n${END}`],
    [
      'ours twice: the first counts',
      `${BEGIN}1\n${END}${BEGIN}2\n${END}`,
      `${BEGIN}new\n${END}${BEGIN}2\n${END}`,
    ],
    ['a line that only begins like ours', `x${BEGIN}`, `x${BEGIN}${BEGIN}new\n${END}`],
  ])('%s', (_, before, after) => {
    expect(withBlock(before, ['new'])).toBe(after);
    // Once more changes nothing.
    expect(withBlock(after, ['new'])).toBe(after);
  });

  test('none at all, where there is nobody', () => {
    expect(withBlock(`a\n${BEGIN}old\n${END}b\n`, [])).toBe('a\nb\n');
  });

  const directory = mkdtempSync(join(tmpdir(), 'tsbox-hosts-'));
  afterAll(() => rmSync(directory, { recursive: true }));
  const file = (name: string, content: string | Buffer) => {
    writeFileSync(join(directory, name), content);
    return join(directory, name);
  };

  test('are written in place, shorter ones too, with the bytes around them as they were', () => {
    const bytes = Buffer.from([0x23, 0xff, 0xfe, 0x0a]);
    const path = file('hosts', Buffer.concat([bytes, Buffer.from(`${BEGIN}${'old\n'.repeat(1000)}${END}`)]));
    // A mount shows the inode, and so does another name of it.
    linkSync(path, join(directory, 'same'));
    replaceBlock(path, ['new']);
    expect(readFileSync(join(directory, 'same'))).toEqual(
      Buffer.concat([bytes, Buffer.from(`${BEGIN}new\n${END}`)]),
    );
  });

  test('a file of more than a megabyte is not read', () => {
    const path = file('huge', Buffer.alloc(1024 * 1024 + 1, 'x'));
    replaceBlock(path, ['new']);
    expect(readFileSync(path, 'utf8')).toBe(`${BEGIN}new\n${END}`);
  });

  test('nothing happens where there is no file, and a link leads nowhere', () => {
    const target = file('target', 'kept\n');
    symlinkSync(target, join(directory, 'link'));
    replaceBlock(join(directory, 'link'), ['new']);
    replaceBlock(join(directory, 'absent'), ['new']);
    expect(readFileSync(target, 'utf8')).toBe('kept\n');
  });
});
