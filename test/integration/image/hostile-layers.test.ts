import { lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { directory, entry, file, hardLink, type Made, symlink } from '../../fixtures/tar.ts';
import { useCanary } from './support/canary.ts';
import { isRoot, needsRoot } from './support/store.ts';

describe.skipIf(!isRoot)(`layers that reach out${needsRoot}`, () => {
  const around = useCanary();
  const { outcome } = around;
  const inLayer = (...parts: string[]) => join(around.layer, ...parts);
  const linkTo = (name: string, target: string, more: Partial<Made> = {}): Made => ({
    ...hardLink(name, target),
    ...more,
  });

  describe('links', () => {
    it('a hard link to a symbolic link changes no mode or owner behind it (CVE-2021-32760)', async () => {
      const setuid = { mode: 0o6777, uid: 1000, gid: 1000, mtime: 1 };
      expect(await outcome(symlink('l', 'CANARY/file'), linkTo('h', 'l', setuid))).toBe('applied');
      expect(readlinkSync(inLayer('h'))).toBe(join(around.root, 'file'));
      expect(lstatSync(inLayer('h')).ino).toBe(lstatSync(inLayer('l')).ino);
    });

    it('a symbolic link with a mode changes no mode behind it', async () => {
      const pax: Made['pax'] = [['mtime', '1.5']];
      expect(await outcome(symlink('l', 'CANARY/file', { mode: 0o6777, uid: 5, pax }))).toBe('applied');
    });

    it('a symbolic link with extended attributes sets none behind it', async () => {
      const pax: Made['pax'] = [['SCHILY.xattr.trusted.evil', '1']];
      expect(await outcome(symlink('l', 'CANARY/file', { pax }))).toBe('applied');
    });

    it('a full pathname in a symbolic link leads nowhere (CVE-2014-9356)', async () => {
      expect(await outcome(symlink('l', 'CANARY'), file('l/new', 'x'))).toMatch(
        /^UNSAFE_ARCHIVE: `l` goes through `l`/,
      );
    });

    it('a hard link of an archive leads nowhere (CVE-2014-6407)', async () => {
      const said = /^UNSAFE_ARCHIVE: .* which is not in the archive before it$/;
      expect(await outcome(hardLink('h', 'CANARY/file'), file('h', 'x'))).toMatch(said);
      expect(await outcome(symlink('l', '../..'), hardLink('h', 'l/file'), file('h', 'x'))).toMatch(said);
      expect(await outcome(symlink('up', '..'), hardLink('h', 'up/etc/passwd'))).toMatch(said);
    });

    it('a link that is replaced between two entries leads where it leads last, inside', async () => {
      const said = await outcome(
        directory('real'),
        symlink('l', 'real'),
        file('l/one', '1'),
        symlink('l', 'CANARY/private'),
        file('l/file', '2'),
      );
      expect(said).toMatch(/^UNSAFE_ARCHIVE: `l` goes through `l`, a symbolic link/);
      expect(readdirSync(inLayer('real'))).toEqual(['one']);
    });

    it('a directory entry over a link to outside does not change what is there', async () => {
      const taken = directory('l', { mode: 0o777, uid: 1, mtime: 1, pax: [['SCHILY.xattr.user.evil', '1']] });
      expect(await outcome(symlink('l', 'CANARY/private'), taken)).toBe('applied');
      expect(lstatSync(inLayer('l')).isDirectory()).toBe(true);
    });

    it('a directory that is a link by the end gets its attributes nowhere', async () => {
      const said = await outcome(
        directory('a'),
        symlink('l', 'a'),
        directory('l/sub', { mode: 0o777, mtime: 1 }),
        symlink('l', 'CANARY/up'),
        directory('etc'),
      );
      expect(said).toBe('applied');
    });

    it('names that other systems take for the same are two (CVE-2021-37712)', async () => {
      const said = await outcome(directory('\u00e9'), symlink('e\u0301', 'CANARY'), file('\u00e9/file', 'x'));
      expect(said).toBe('applied');
      expect(readFileSync(inLayer('\u00e9/file'), 'utf8')).toBe('x');
    });

    it('a backslash separates nothing (CVE-2021-37701)', async () => {
      expect(await outcome(file('..\\..\\file', 'x'), symlink('a\\b', 'CANARY'), file('a/b/file', 'x'))).toBe(
        'applied',
      );
      expect(readdirSync(around.layer).sort()).toEqual(['..\\..\\file', 'a', 'a\\b']);
    });
  });

  describe('whiteouts', () => {
    it.each(['.wh...', 'd/.wh...', '.wh..', '.wh.', './.wh.', '.wh./', '/.wh.', '.wh.//'])(
      'of no name: %s',
      async (name) => {
        expect(await outcome(directory('d'), file(name))).toMatch(
          /^UNSAFE_ARCHIVE: .* is a whiteout of no name$/,
        );
      },
    );

    it.each(['.wh.../x', '.wh../../file', 'd/.wh../x', '.wh.d/x', '.wh..wh.plnk/1'])(
      'with something behind: %s',
      async (name) => {
        expect(await outcome(file(name))).toMatch(
          /^UNSAFE_ARCHIVE: .*(climbs out of the image|lies in a whiteout)/,
        );
      },
    );

    it('through a link to outside take nothing away', async () => {
      expect(await outcome(symlink('l', 'CANARY'), file('l/.wh.file'))).toMatch(/goes through `l`/);
      expect(await outcome(symlink('m', '..'), file('m/.wh.etc'))).toBe('applied');
      // `..` of the root is the root.
      expect(lstatSync(inLayer('etc')).isCharacterDevice()).toBe(true);
    });

    it('of a link hide the link', async () => {
      expect(await outcome(file('.wh.l'), symlink('k', 'CANARY/private'), file('.wh.k'))).toBe('applied');
      expect(lstatSync(inLayer('l')).isCharacterDevice()).toBe(true);
      expect(lstatSync(inLayer('k')).isSymbolicLink()).toBe(true);
    });

    it('an opaque mark on a link marks nothing, inside or outside', async () => {
      const said = /marks a directory through a symbolic link|goes through `l`/;
      expect(await outcome(symlink('l', 'CANARY/private'), file('l/.wh..wh..opq'))).toMatch(said);
      expect(await outcome(directory('d'), symlink('k', 'd'), file('k/.wh..wh..opq'))).toMatch(said);
      expect(await outcome(symlink('r', '/'), file('r/.wh..wh..opq'))).toMatch(said);
    });

    it('an opaque mark on the root hides all below, and nothing else', async () => {
      expect(await outcome(file('.wh..wh..opq'), file('new'))).toBe('applied');
      expect(readdirSync(around.layer)).toEqual(['new']);
    });
  });

  const kinds: Record<string, (name: string) => Made> = {
    file: (name) => file(name, 'x'),
    directory: (name) => directory(name),
    symlink: (name) => symlink(name, 'CANARY/private'),
    link: (name) => hardLink(name, 'other'),
    character: (name) => ({ name, type: '3', major: 1, minor: 3 }),
    fifo: (name) => ({ name, type: '6' }),
    whiteout: (name) => file(`.wh.${name}`),
  };
  const typeAt = (path: string) => {
    const status = lstatSync(path);
    if (status.isFile()) return status.nlink > 1 ? 'link' : 'file';
    if (status.isDirectory()) return 'directory';
    if (status.isSymbolicLink()) return 'symlink';
    if (status.isFIFO()) return 'fifo';
    return status.rdev === 0 ? 'whiteout' : 'character';
  };

  describe('a name that comes twice', () => {
    for (const first of Object.keys(kinds)) {
      for (const second of Object.keys(kinds)) {
        it(`first a ${first}, then a ${second}`, async () => {
          const entries = [first, second].map((kind) => kinds[kind]?.('twice') as Made);
          const said = await outcome(file('other', 'o'), ...entries);
          if (first === 'directory' && !['directory', 'whiteout'].includes(second)) {
            expect(said).toBe(
              `UNSAFE_ARCHIVE: \`twice\` is twice in the archive, first as a directory, then as a ${second}`,
            );
          } else {
            expect(said).toBe('applied');
            // A whiteout is of what lies below: what the layer itself has stays.
            expect(typeAt(inLayer('twice'))).toBe(second === 'whiteout' ? first : second);
          }
        });
      }
    }
  });

  describe('PAX headers', () => {
    const pax = (content: string): Made => ({ name: 'x', type: 'x', content });
    it.each([
      ['too short', '5 path=evil\n'],
      ['too long', '99 path=evil\n'],
      ['longer than memory', '99999999999999999999 path=evil\n'],
      ['none', 'path=evil\n'],
      ['nothing', '0 path=evil\n'],
      ['negative', '-5 path=evil\n'],
      ['hexadecimal', '0x0d path=evil\n'],
      ['spaces', '   13 path=evil\n'],
      ['one byte off', '12 path=evil\n\n'],
      ['no end', '13 path=evil '],
      ['no equals', '10 pathev\n'],
      ['NULs', `13 path=evil\n${'\0'.repeat(20)}`],
    ])('a length that is wrong: %s', async (_, content) => {
      expect(await outcome(pax(content), file('innocent'))).toBe(
        'BAD_ARCHIVE: a PAX header of the tar is malformed',
      );
      expect(readdirSync(around.layer)).toEqual([]);
    });

    it('sizes that the rest of the archive does not have', async () => {
      expect(await outcome(file('a', 'x', { pax: [['size', '99999']] }))).toMatch(
        /^BAD_ARCHIVE: the tar is truncated/,
      );
      expect(await outcome(file('a', 'x', { pax: [['size', '-1']] }))).toMatch(
        /^BAD_ARCHIVE: the PAX record size/,
      );
      expect(await outcome(file('a', 'x', { pax: [['size', '9'.repeat(30)]] }))).toMatch(
        /^BAD_ARCHIVE: the PAX record size/,
      );
    });

    it('as large as memory', async () => {
      const header = entry({ name: 'x', type: 'x', size: 2 ** 32 }).subarray(0, 512);
      await expect(around.applyBytes(header)).rejects.toThrow(
        'an extended header of 4294967296 bytes, over the limit',
      );
    });

    it('names that are not UTF-8 are kept byte by byte', async () => {
      const name = Buffer.from([0x66, 0xff, 0xfe, 0x80, 0xc3, 0x28]);
      expect(
        await outcome(
          { name, content: 'x' },
          file('x', '', { pax: [['path', Buffer.concat([name, name])]] }),
        ),
      ).toBe('applied');
      const found = readdirSync(around.layer, { encoding: 'buffer' });
      expect(found.map((each) => each.toString('hex')).sort()).toEqual([
        '66fffe80c328',
        '66fffe80c32866fffe80c328',
      ]);
    });
  });

  describe('extended attributes', () => {
    const attribute = (name: string, value = 'x', more: Partial<Made> = {}) =>
      outcome(file('f', 'x', { pax: [[`SCHILY.xattr.${name}`, value]], ...more }));
    it.each([
      'trusted.overlay.redirect',
      'trusted.overlay.metacopy',
      'trusted.overlay.origin',
      'user.overlay.opaque',
    ])("%s is overlayfs's own", async (name) => {
      expect(await attribute(name)).toBe(
        `UNSAFE_ARCHIVE: \`f\` has the extended attribute \`${name}\`, which is overlayfs's own`,
      );
    });
    it('of no namespace of the kernel are left out', async () => {
      expect(await attribute('com.apple.provenance')).toBe('applied');
      expect(statSync(inLayer('f')).size).toBe(1);
    });
    it.each([
      ['security.capability', 'garbage'],
      ['system.posix_acl_access', 'garbage'],
    ])('%s that the kernel does not take is refused by name', async (name, value) => {
      expect(await attribute(name, value)).toMatch(
        new RegExp(`^[A-Z_]+: .*${name.replaceAll('.', '\\.')}.*`),
      );
    });
  });

  describe('sparse files', () => {
    const sparse = (size: string, map: string, content = '') =>
      outcome(
        file('s', content, {
          pax: [
            ['GNU.sparse.major', '0'],
            ['GNU.sparse.minor', '1'],
            ['GNU.sparse.size', size],
            ['GNU.sparse.map', map],
          ],
        }),
      );
    it('a hole of 512 GiB takes no space', async () => {
      expect(await sparse(String(2 ** 39), '0,1', 'x')).toBe('applied');
      const { size, blocks } = statSync(inLayer('s'));
      expect([size, blocks <= 16]).toEqual([2 ** 39, true]);
    });
    it.each([
      ['a petabyte', String(2 ** 50), '0,1', 'over the limit'],
      ['larger than a number', '9'.repeat(25), '0,1', 'not a number'],
      ['pieces behind the end', '10', '20,1', 'larger than its file'],
      ['pieces that overlap', '10', '0,1,0,1', 'out of order'],
      ['pieces backwards', '10', '5,1,2,1', 'out of order'],
      ['more pieces than content', '100', '0,1,10,50', 'does not fit its content'],
      ['half a piece', '10', '0', 'out of order'],
      ['no numbers', '10', '0,x', 'no number'],
    ])('%s', async (_, size, map, message) => {
      expect(await sparse(size, map, 'x')).toMatch(new RegExp(`^BAD_ARCHIVE: .*${message}`));
    });
  });
});
