import { describe, expect, test } from 'vitest';
import { parseMountOptions } from '../../../src/runtime/mount-options.ts';
import { Listing, sampleInput, sampleSpec } from './sample.ts';

const parse = (...words: string[]) => {
  const { set, clear, data, propagation, ...rest } = parseMountOptions('/here', words);
  return { ...rest, set: [...set], clear: [...clear], data, propagation: propagation?.text };
};
const none = {
  set: [],
  clear: [],
  data: [],
  bind: false,
  recursive: false,
  recursiveAttributes: false,
  propagation: undefined,
};

describe('words', () => {
  test('go to where the kernel takes them', () => {
    expect(parse('rbind', 'ro', 'nosuid', 'rslave', 'size=1m', 'newinstance', 'defaults', 'a=b=c')).toEqual({
      ...none,
      bind: true,
      recursive: true,
      set: ['MOUNT_ATTR_RDONLY', 'MOUNT_ATTR_NOSUID'],
      propagation: 'MS_SLAVE',
      data: [
        ['size', '1m'],
        ['newinstance', undefined],
        ['a', 'b=c'],
      ],
    });
  });

  test('with an r hold for the mounts below too; rw and ro are not such', () => {
    expect(parse('rro', 'rnoexec')).toEqual({
      ...none,
      recursiveAttributes: true,
      set: ['MOUNT_ATTR_RDONLY', 'MOUNT_ATTR_NOEXEC'],
    });
    expect(parse('ro', 'rw')).toEqual({ ...none, clear: ['MOUNT_ATTR_RDONLY'] });
  });

  test('of access times are one choice: the last wins', () => {
    expect(parse('noatime', 'strictatime').set).toEqual(['MOUNT_ATTR_STRICTATIME']);
    expect(parse('strictatime', 'noatime').set).toEqual(['MOUNT_ATTR_NOATIME']);
    expect(parse('noatime', 'relatime')).toEqual({ ...none, clear: ['MOUNT_ATTR_NOATIME'] });
    // Directories are another matter.
    expect(parse('noatime', 'nodiratime').set).toEqual(['MOUNT_ATTR_NOATIME', 'MOUNT_ATTR_NODIRATIME']);
  });

  test.each(['constructor', '__proto__', 'rconstructor', 'toString', 'hasOwnProperty'])(
    '%s is a word like any other, which the file system may refuse',
    (word) => {
      expect(parse(word)).toEqual({ ...none, data: [[word, undefined]] });
    },
  );

  test.each(['', 'a\0b', 'size=1\0'])('%j is refused', (word) => {
    expect(() => parse(word)).toThrow('the mount at `/here` has an empty or broken option');
  });
});

describe('on a bind mount', () => {
  const attributes = (...options: string[]) => {
    const spec = sampleSpec((each) => {
      each.mounts = [{ destination: '/d', type: 'bind', source: '/tmp', options: ['rbind', ...options] }];
    });
    const listing = new Listing(sampleInput(() => {}, spec));
    const from = listing.at('bind_d = open_tree');
    return listing.lines.slice(from + 1, from + 3).filter((line) => line.startsWith('mount_setattr(bind_d'));
  };

  test('a change of access times clears the whole field, as the kernel wants (mount_setattr(2))', () => {
    expect(attributes('noatime')[1]).toContain('{attr_set=MOUNT_ATTR_NOATIME, attr_clr=MOUNT_ATTR__ATIME}');
    expect(attributes('relatime')[1]).toContain('{attr_set=0, attr_clr=MOUNT_ATTR__ATIME}');
    expect(attributes('nodiratime')[1]).toContain('{attr_set=MOUNT_ATTR_NODIRATIME, attr_clr=0}');
  });

  test('read-only holds below only where that is asked for', () => {
    expect(attributes('rro')[1]).toContain('AT_EMPTY_PATH|AT_RECURSIVE, {attr_set=MOUNT_ATTR_RDONLY');
    expect(attributes('ro')[1]).toContain('AT_EMPTY_PATH, {attr_set=MOUNT_ATTR_RDONLY');
  });

  test('it shares no later mounts with the host unless that is asked for', () => {
    expect(attributes()).toEqual([
      'mount_setattr(bind_d, , AT_EMPTY_PATH|AT_RECURSIVE, {propagation=MS_PRIVATE}, 32)',
    ]);
    expect(attributes('rshared')[0]).toContain('{propagation=MS_SHARED}');
  });
});
