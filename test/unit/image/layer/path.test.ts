import { describe, expect, it } from 'vitest';
import { plainName, shownName } from '../../../../src/image/archive-error.ts';
import { checkDevice } from '../../../../src/image/layer/devices.ts';
import { splitName } from '../../../../src/image/layer/path.ts';
import { readWhiteout } from '../../../../src/image/layer/whiteout.ts';
import { ARCHIVE_LIMITS } from '../../../../src/image/limits.ts';
import type { TarEntry } from '../../../../src/image/tar/index.ts';

describe('splitName', () => {
  it.each([
    ['a', '', 'a'],
    ['./a', '', 'a'],
    ['a/b/c', 'a/b', 'c'],
    ['a//b/./c/', 'a/b', 'c'],
    ['.', '', ''],
    ['./', '', ''],
    ['..a/b..', '..a', 'b..'],
    ['...', '', '...'],
    ['/etc/passwd', 'etc', 'passwd'],
    ['//x', '', 'x'],
    ['/', '', ''],
  ])('%s lies in %j as %j', (name, parent, last) => {
    expect(splitName(name, ARCHIVE_LIMITS)).toEqual({ parent, name: last });
  });

  it.each([
    ['../x', 'climbs out'],
    ['/../x', 'climbs out'],
    ['a/../../x', 'climbs out'],
    ['a/..', 'climbs out'],
    ['..', 'climbs out'],
    ['', 'no name'],
    ['.wh.a/b', 'lies in a whiteout'],
    [`a/${'x'.repeat(256)}`, 'more than 255 bytes'],
    [`${'d/'.repeat(257)}x`, 'more than 256 directories deep'],
  ])('refuses %s', (name, message) => {
    expect(() => splitName(name, ARCHIVE_LIMITS)).toThrow(
      expect.objectContaining({ code: 'UNSAFE_ARCHIVE', message: expect.stringContaining(message) }),
    );
  });
});

describe('readWhiteout', () => {
  const read = (name: string) => readWhiteout({ parent: 'a', name }, name);

  it('knows the three kinds from ordinary names', () => {
    expect(read('.wh.b')).toEqual({ kind: 'name', name: 'b' });
    expect(read('.wh..hidden')).toEqual({ kind: 'name', name: '.hidden' });
    expect(read('.wh..wh..opq')).toEqual({ kind: 'opaque' });
    expect(read('.wh..wh.plnk')).toEqual({ kind: 'ignored' });
    expect(read('wh.b')).toBeUndefined();
    expect(read('.wh')).toBeUndefined();
  });

  it.each(['.wh.', '.wh..', '.wh...'])(
    'refuses %s, which would hide the directory itself or the one above',
    (name) => {
      expect(() => read(name)).toThrow('a whiteout of no name');
    },
  );
});

describe('checkDevice', () => {
  const node = (type: TarEntry['type'], major: number, minor: number) =>
    ({ name: 'dev/x', type, major, minor }) as TarEntry;

  it.each([
    [1, 3],
    [1, 5],
    [1, 7],
    [1, 8],
    [1, 9],
    [5, 0],
    [5, 1],
    [5, 2],
  ])('lets character device %i:%i be', (major, minor) => {
    expect(() => checkDevice(node('character', major, minor))).not.toThrow();
  });

  it.each<[string, TarEntry['type'], number, number]>([
    ['the disk sda', 'block', 8, 0],
    ['a block device with the numbers of null', 'block', 1, 3],
    ['the memory', 'character', 1, 1],
    ['the kernel log', 'character', 1, 11],
    ['kvm', 'character', 10, 232],
  ])('refuses %s', (_, type, major, minor) => {
    expect(() => checkDevice(node(type, major, minor))).toThrow(
      `\`dev/x\` is a device node of the host (${type} ${major}:${minor})`,
    );
  });
});

describe('names in messages', () => {
  it.each([
    ['plain.txt', '`plain.txt`'],
    ['caf\xc3\xa9', '`café`'],
    ['\x1b[31mred', '`\\x1b[31mred`'],
    ['a\nb', '`a\\x0ab`'],
    ['a`b\\c', '`a\\x60b\\x5cc`'],
    ['\xe2\x80\xaetxt.exe', '`\\u{202e}txt.exe`'],
    ['\xff', '`\\u{fffd}`'],
  ])('%j is shown as %s', (name, shown) => {
    expect(shownName(name)).toBe(shown);
  });

  it('are not long', () => {
    expect(plainName('x'.repeat(4000))).toBe(`${'x'.repeat(117)}...`);
  });
});
