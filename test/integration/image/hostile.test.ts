import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { findImage, importImage } from '../../../src/image/index.ts';
import { archive, directory, file, hardLink, type Made, symlink } from '../../fixtures/tar.ts';
import { filesOf, importBytes, isRoot, needsRoot, useStore } from './support/store.ts';
import { describeTree } from './support/tree.ts';

describe.skipIf(!isRoot)(`archives that mean harm${needsRoot}`, () => {
  const store = useStore();
  let canary: string;
  let before: Record<string, string>;

  // A directory beside the store, to see that nothing reached it.
  beforeEach(() => {
    canary = join(store.root, 'canary');
    mkdirSync(join(canary, 'sub'), { recursive: true });
    writeFileSync(join(canary, 'file'), 'alive', { mode: 0o600 });
    before = describeTree(canary);
  });

  const refused = (entries: Made[], message: string) => async () => {
    await importBytes(archive(file('first')), 'kept');
    const files = filesOf(store.root);
    // CANARY in a name stands for the real path.
    const real = entries.map((made) => ({
      ...made,
      name: String(made.name).replace('CANARY', canary),
      linkName: made.linkName && String(made.linkName).replace('CANARY', canary),
    }));
    const error = await importBytes(archive(file('a', 'harmless'), ...real), 'evil').catch((each) => each);
    expect(error).toMatchObject({ exitCode: 125, message: expect.stringContaining(message) });
    expect(['BAD_ARCHIVE', 'UNSAFE_ARCHIVE']).toContain(error.code);
    expect(error.message).not.toContain('\n');
    expect(describeTree(canary)).toEqual(before);
    expect(filesOf(store.root)).toEqual(files);
    expect(() => findImage('evil')).toThrow('there is no image');
  };

  describe('names', () => {
    it('.. at the start (CVE-2001-1267)', refused([file('../canary/file', 'x')], 'climbs out of the image'));
    it('.. in the middle', refused([file('a1/../../../canary/file', 'x')], 'climbs out of the image'));
    it(
      '.. in a PAX name',
      refused([file('a1', 'x', { pax: [['path', '../canary/file']] })], 'climbs out of the image'),
    );
    it(
      '.. in a GNU long name',
      refused([{ name: '././@LongLink', type: 'L', content: '../canary/file\0' }, file('a1')], 'climbs out'),
    );
    it('.. in the prefix', refused([file('file', 'x', { prefix: '../canary' })], 'climbs out of the image'));
    it('a NUL in a PAX name', refused([file('a1', 'x', { pax: [['path', 'a\0/../../b']] })], 'a NUL in it'));
    it(
      'a part of 256 bytes',
      refused([file('a1', '', { pax: [['path', `d/${'x'.repeat(256)}`]] })], 'more than 255 bytes'),
    );
    it(
      'a directory below itself 300 times',
      refused([directory('x', { pax: [['path', 'd/'.repeat(300)]] })], 'directories deep'),
    );
    it(
      'control characters, which reach no terminal',
      refused([file('../\x1b]0;owned\x07\n')], '`../\\x1b]0;owned\\x07\\x0a`'),
    );
    it('the root as a file', refused([file('./', 'x')], 'would replace the root of the image by a file'));
    it(
      'the root as a symbolic link',
      refused([symlink('.', '/')], 'would replace the root of the image by a symlink'),
    );
  });

  describe('links', () => {
    it(
      'a file through an absolute symbolic link (CVE-2014-6407)',
      refused([symlink('l', 'CANARY'), file('l/file', 'x')], 'goes through `l`, a symbolic link'),
    );
    it(
      'a file through a relative one (CVE-2021-32803)',
      refused([symlink('l', '../../canary'), file('l/file', 'x')], 'goes through `l`, a symbolic link'),
    );
    it(
      'a file through two of them',
      refused([symlink('l', 'm'), symlink('m', 'CANARY'), file('l/file', 'x')], 'goes through `l`'),
    );
    it(
      'a directory through one',
      refused([symlink('l', 'CANARY'), directory('l/sub/new')], 'goes through `l`'),
    );
    it(
      'a file through a loop',
      refused([symlink('l', 'm'), symlink('m', 'l'), file('l/file', 'x')], 'goes through `l`'),
    );
    it('a file below a file', refused([file('a/b', 'x')], 'goes through `a`, which is not a directory'));
    it(
      'a magic link of proc',
      refused([symlink('l', '/proc/self/root'), file('l/x', 'x')], 'goes through `l`'),
    );
    it(
      'an absolute hard link (CVE-2014-6407)',
      refused([hardLink('l', 'CANARY/file')], 'not in the archive before it'),
    );
    it('a hard link with ..', refused([hardLink('l', '../canary/file')], 'climbs out of the image'));
    it(
      'a hard link through a symbolic link (CVE-2018-20834)',
      refused([symlink('l', 'CANARY'), hardLink('h', 'l/file')], 'not in the archive before it'),
    );
    it(
      'a hard link to what is not there',
      refused([hardLink('h', 'later'), file('later')], 'not in the archive before it'),
    );
    it(
      'a hard link to a directory',
      refused([directory('d'), hardLink('h', 'd')], 'a hard link to the directory'),
    );
    it('a hard link to the root', refused([hardLink('h', './')], 'a hard link to the root'));
    it('a symbolic link to nothing', refused([symlink('l', '')], 'a symbolic link to nothing'));
  });

  describe('devices', () => {
    it(
      "the host's disk",
      refused(
        [{ name: 'sda', type: '4', major: 8, minor: 0 }],
        '`sda` is a device node of the host (block 8:0)',
      ),
    );
    it(
      "the host's disk, in GNU's format",
      refused([{ name: 'sda', type: '4', major: 8, minor: 0, magic: 'ustar  \0' }], '(block 8:0)'),
    );
    it('the memory', refused([{ name: 'mem', type: '3', major: 1, minor: 1 }], '(character 1:1)'));
    it('a block device 0:0', refused([{ name: 'x', type: '4' }], '(block 0:0)'));
  });

  describe("overlayfs's own language", () => {
    const forged = (keyword: string) =>
      refused(
        [directory('d', { pax: [[`SCHILY.xattr.${keyword}`, '/etc']] })],
        `\`${keyword}\`, which is overlayfs's own`,
      );
    it('a redirect', forged('trusted.overlay.redirect'));
    it('an opaque mark', forged('trusted.overlay.opaque'));
    it('a redirect for userxattr', forged('user.overlay.redirect'));
    it(
      'a redirect in the form of libarchive',
      refused(
        [file('f', '', { pax: [['LIBARCHIVE.xattr.trusted%2eoverlay%2eredirect', 'L2V0Yw==']] })],
        "overlayfs's own",
      ),
    );
    it('a whiteout of ..', refused([file('d/.wh...')], 'a whiteout of no name'));
    it('a whiteout of .', refused([file('d/.wh..')], 'a whiteout of no name'));
    it('a whiteout of nothing', refused([file('.wh.')], 'a whiteout of no name'));
    it('a file in a whiteout', refused([file('.wh.x/y')], 'lies in a whiteout'));
    it(
      'an opaque mark through a symbolic link',
      refused([directory('d'), symlink('l', 'd'), file('l/.wh..wh..opq')], 'through a symbolic link'),
    );
  });

  describe('entries that come twice', () => {
    it(
      'a directory, then a file',
      refused([directory('d'), file('d', 'x')], 'first as a directory, then as a file'),
    );
    it(
      'a directory, then a symbolic link',
      refused(
        [directory('d'), symlink('d', 'CANARY'), file('d/file', 'x')],
        'first as a directory, then as a symlink',
      ),
    );
    it(
      'a symbolic link in the place of one that was gone through',
      refused(
        [directory('x'), symlink('l', 'x'), file('l/1'), symlink('l', 'CANARY'), file('l/file')],
        'goes through `l`',
      ),
    );
  });

  describe('what is harmless, once it is kept inside', () => {
    const layer = async (...entries: Made[]) =>
      (await importBytes(archive(...entries), 'image')).layers[0] as string;

    it('absolute names lie below the root of the image (CVE-2021-32804)', async () => {
      const root = await layer(
        file('/etc/canary', 'x'),
        file(`//${canary}/file`, 'new'),
        hardLink('/same', '/etc/canary'),
      );
      expect(readFileSync(join(root, 'same'), 'utf8')).toBe('x');
      expect(readFileSync(join(root, canary, 'file'), 'utf8')).toBe('new');
      expect(existsSync('/etc/canary')).toBe(false);
      expect(describeTree(canary)).toEqual(before);
    });

    it('links of directories, absolute and climbing, lead inside the image', async () => {
      const root = await layer(
        directory('run'),
        directory('var'),
        symlink('var/run', '/run'),
        symlink('up', '../../../run'),
        file('var/run/a', '1'),
        file('up/b', '2'),
        hardLink('c', 'var/run/a'),
      );
      expect(readdirSync(join(root, 'run')).sort()).toEqual(['a', 'b']);
      expect(readFileSync(join(root, 'c'), 'utf8')).toBe('1');
      expect(lstatSync(join(root, 'run/a')).nlink).toBe(2);
    });

    it('a file over a symbolic link takes its place, and is not written through it', async () => {
      const root = await layer(symlink('l', join(canary, 'file')), file('l', 'new'));
      expect(lstatSync(join(root, 'l')).isFile()).toBe(true);
      expect(describeTree(canary)).toEqual(before);
    });

    it('a file over a hard link leaves the other name as it was', async () => {
      const root = await layer(file('a', 'old'), hardLink('b', 'a'), file('b', 'new'));
      expect(readFileSync(join(root, 'a'), 'utf8')).toBe('old');
      expect(readFileSync(join(root, 'b'), 'utf8')).toBe('new');
    });

    it('a hard link to a symbolic link is one, and does not lead to its target', async () => {
      const root = await layer(
        symlink('l', join(canary, 'file')),
        hardLink('h', 'l'),
        file('x'),
        hardLink('x', './x'),
      );
      expect(lstatSync(join(root, 'h')).isSymbolicLink()).toBe(true);
      expect(existsSync(join(root, 'x'))).toBe(true);
      expect(describeTree(canary)).toEqual(before);
    });

    it('a directory over a symbolic link takes its place', async () => {
      const root = await layer(symlink('d', canary), directory('d'), file('d/file', 'x'));
      expect(lstatSync(join(root, 'd')).isDirectory()).toBe(true);
      expect(describeTree(canary)).toEqual(before);
    });

    it('a directory that was reached through a link is found again after the link has changed', async () => {
      const root = await layer(
        directory('one'),
        directory('two'),
        symlink('l', 'one'),
        directory('l/d', { mode: 0o700, mtime: 1 }),
        file('l/f', '1'),
        symlink('l', 'two'),
        file('l/f', '2'),
      );
      expect(readFileSync(join(root, 'one/f'), 'utf8')).toBe('1');
      expect(readFileSync(join(root, 'two/f'), 'utf8')).toBe('2');
    });

    it('labels of another machine are left out', async () => {
      const root = await layer(
        file('f', 'x', {
          pax: [
            ['SCHILY.xattr.security.selinux', 'evil_t'],
            ['SCHILY.xattr.user.a', 'b'],
          ],
        }),
      );
      expect(describeTree(root)['./f']).toMatch(/ user\.a=0x62$/);
    });
  });

  it('an archive of nothing but directories inside each other is removed as well', async () => {
    // 2,280 directories. Each link starts again at the end of the last chain: deeper than any path.
    const chain = 'd/'.repeat(120);
    const entries: Made[] = [directory('x', { pax: [['path', chain]] })];
    for (let turn = 0; turn < 18; turn++) {
      const from = turn === 0 ? chain : `l${turn - 1}/${chain}`;
      entries.push(
        symlink(`l${turn}`, 'x', { pax: [['linkpath', from]] }),
        directory('x', { pax: [['path', `l${turn}/${chain}`]] }),
      );
    }
    const files = filesOf(store.root);
    await expect(importBytes(archive(...entries, file('../x')), 'deep')).rejects.toMatchObject({
      code: 'UNSAFE_ARCHIVE',
      message: expect.stringContaining('`../x` climbs'),
    });
    expect(filesOf(store.root).filter((path) => path.includes('unfinished'))).toEqual(
      files.filter((path) => path.includes('unfinished')),
    );
  });

  it('limits can be lowered', async () => {
    const tar = join(store.root, 'x.tar');
    writeFileSync(tar, archive(file('a'), file('b')));
    await expect(importImage(tar, 'x', { limits: { entries: 1 } })).rejects.toThrow('more than 1 entries');
    await expect(importImage(tar, 'x', { limits: { contentBytes: 100 } })).rejects.toThrow(
      'it unpacks to more than',
    );
  });
});
