import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { loadImages } from '../../../src/image/archive/index.ts';
import { sha256 } from '../../fixtures/oci-layout.ts';
import { archive, directory, file, hardLink, type Made, symlink } from '../../fixtures/tar.ts';
import { isRoot, needsRoot } from './support/store.ts';
import { configuration, good, image, layer, list, other, useVictim } from './support/victim.ts';

describe.skipIf(!isRoot)(`archives of images that mean harm${needsRoot}`, () => {
  const { canary, everything, refused } = useVictim();

  it('first: what the others are changed from is good', async () => {
    expect(await loadImages(Readable.from([archive(...good)]))).toMatchObject([{ name: 'evil:1' }]);
  });

  describe('names', () => {
    it(
      'a member that climbs out (CVE-2014-9358)',
      refused([...good, file('../canary/file', 'x')], 'a member called `../canary/file`'),
    );
    it('a member with an absolute name', refused([...good, file('CANARY/file', 'x')], 'outside the archive'));
    it(
      'a member called by nothing but dots',
      refused([...good, file('a/..', 'x')], 'a member called `a/..`'),
    );
    it(
      'a layer that climbs out',
      refused(
        [list(image({ Layers: ['../canary/file'] })), ...good.slice(1)],
        'its layer is `../canary/file`, outside',
      ),
    );
    it(
      'a layer of the host',
      refused(
        [list(image({ Layers: ['/etc/passwd'] })), ...good.slice(1)],
        'its layer is `/etc/passwd`, outside',
      ),
    );
    it(
      'a configuration that climbs out',
      refused(
        [list(image({ Config: '../../x' })), ...good.slice(1)],
        'its configuration is `../../x`, outside',
      ),
    );
    it(
      'control characters, which reach no terminal',
      refused([list(image({ Config: '\x1b]0;owned\x07' }))], '`\\x1b]0;owned\\x07`'),
    );
    it(
      'an image called by no name',
      refused(
        [list(image({ RepoTags: ['../../evil'] })), ...good.slice(1)],
        'it calls an image `../../evil`',
      ),
    );
    it(
      'an image called by a digest',
      refused(
        [list(image({ RepoTags: [`a@${sha256(layer)}`] })), ...good.slice(1)],
        'not a name for an image',
      ),
    );
  });

  describe('links', () => {
    const linked = (made: Made) => [list(image()), file('c.json', configuration()), made];
    it(
      'a layer that is a link to the host (CVE-2014-9356)',
      refused(linked(symlink('l.tar', 'CANARY/file')), 'leads outside the archive'),
    );
    it(
      'a layer that is a link upwards',
      refused(linked(symlink('l.tar', '../canary/file')), 'leads outside the archive'),
    );
    it(
      'a layer that is a hard link to the host',
      refused(linked(hardLink('l.tar', '/etc/passwd')), 'leads outside the archive'),
    );
    it(
      'a manifest.json that is a link to the host',
      refused([symlink('manifest.json', 'CANARY/file')], 'leads outside the archive'),
    );
    it('a link to itself', refused(linked(symlink('l.tar', 'l.tar')), 'is a link that leads nowhere'));
    it(
      'a cycle of links',
      refused(
        [...linked(symlink('l.tar', 'm.tar')), symlink('m.tar', 'l.tar')],
        'is a link that leads nowhere',
      ),
    );
    it(
      'a link to what is not there',
      refused(linked(symlink('l.tar', 'm.tar')), 'its layer `l.tar` is not in it'),
    );
    it(
      'a file after a link of its name',
      refused(
        [...linked(symlink('l.tar', 'm.tar')), file('l.tar', layer)],
        'two different files called `l.tar`',
      ),
    );
    it(
      'a link after a file of its name',
      refused([...good, symlink('l.tar', 'c.json')], 'two different files called `l.tar`'),
    );
    it('a layer that is a directory', refused(linked(directory('l.tar/')), 'its layer `l.tar` is not in it'));
    it(
      'a layer that is a device',
      refused(linked({ name: 'l.tar', type: '4', major: 8, minor: 0 }), 'its layer `l.tar` is not in it'),
    );
  });

  describe('content', () => {
    it('no manifest', refused(good.slice(1), 'neither a manifest.json nor an index.json'));
    it(
      'a root file system',
      refused(
        [directory('bin/'), symlink('bin/sh', '/bin/busybox')],
        'neither a manifest.json nor an index.json',
      ),
    );
    it('an archive of a Docker before 1.10', refused([file('repositories', '{}')], 'older than 1.10'));
    it(
      'two manifests of one name',
      refused(
        [...good, list(image({ RepoTags: ['other:1'] }))],
        'two different files called `manifest.json`',
      ),
    );
    it(
      'two names for one member',
      refused([...good, file('./l.tar', other)], 'two different files called `./l.tar`'),
    );
    it('a manifest that is no JSON', refused([file('manifest.json', '[{')], 'is not JSON'));
    it('a manifest that is no list', refused([file('manifest.json', '{}')], 'is no list'));
    it('a list of nothing', refused([list()], 'it has no image'));
    it('an image that is null', refused([file('manifest.json', '[null]')], 'names no configuration'));
    it('layers that are no list', refused([list(image({ Layers: { 0: 'l.tar' } }))], 'names no layers'));
    it('layers that are no text', refused([list(image({ Layers: [['l.tar']] }))], 'names no layers'));
    it('names that are no text', refused([list(image({ RepoTags: [1] }))], 'that are no text'));
    it(
      '2000 names',
      refused(
        [list(image({ RepoTags: Array.from({ length: 2000 }, (_, n) => `n:${n}`) })), ...good.slice(1)],
        '2000 names of images, over the limit of 1000',
      ),
    );
    it('brackets in brackets', refused([file('manifest.json', '['.repeat(1_000_000))], 'is not JSON'));
    it(
      'a configuration that is not there',
      refused([list(image()), file('l.tar', layer)], 'its configuration `c.json` is not in it'),
    );
    it(
      'a layer that is not there',
      refused([list(image()), file('c.json', configuration())], 'its layer `l.tar` is not in it'),
    );
    it(
      'another layer',
      refused(
        [...good.slice(0, 2), file('l.tar', other)],
        /has the diff ID sha256:\w+, where sha256:\w+ is expected/,
      ),
    );
    it(
      'another layer, in the place of one that is unpacked already',
      refused(
        [
          list(image()),
          file('c.json', configuration({ rootfs: { diff_ids: [sha256(other)] } })),
          file('l.tar', layer),
        ],
        /has the diff ID/,
      ),
    );
    it(
      'a layer that is no tar',
      refused([...good.slice(0, 2), file('l.tar', 'hello')], 'it is not a tar archive'),
    );
    it(
      'a layer in xz',
      refused([...good.slice(0, 2), file('l.tar', Buffer.from('fd377a585a000004', 'hex'))], 'a layer in xz'),
    );
    it(
      'more layers than diff IDs',
      refused(
        [list(image({ Layers: ['l.tar', 'l.tar'] })), ...good.slice(1)],
        'describes 1 layers, and its manifest 2',
      ),
    );
    it(
      'fewer',
      refused([list(image({ Layers: [] })), ...good.slice(1)], 'describes 1 layers, and its manifest 0'),
    );
    for (const [name, change, message] of [
      ['diff IDs that climb', { rootfs: { diff_ids: ['sha256:../../../canary'] } }, 'no list of diff IDs'],
      ['no diff IDs', { rootfs: null }, 'no list of diff IDs'],
      ['Windows', { os: 'windows' }, 'an image for `windows`'],
      ['an Env that is text', { config: { Env: 'A=1' } }, 'has a field of a wrong type'],
      ['labels that are numbers', { config: { Labels: { a: 1 } } }, 'has a field of a wrong type'],
    ] as const)
      it(
        `a configuration with ${name}`,
        refused([list(image()), file('c.json', configuration(change)), file('l.tar', layer)], message),
      );
    it(
      'a configuration that is a list',
      refused([list(image()), file('c.json', '[]'), file('l.tar', layer)], 'is not a JSON object'),
    );
    it(
      'one image of two',
      refused(
        [list(image(), image({ RepoTags: ['evil:2'], Layers: ['m.tar'] })), ...good.slice(1)],
        'its layer `m.tar` is not in it',
      ),
    );
    it('a layer that climbs out', async () => {
      const climbs = archive(file('../../../../canary/file', 'x'));
      const made = [
        list(image()),
        file('c.json', configuration({ rootfs: { diff_ids: [sha256(climbs)] } })),
        file('l.tar', climbs),
      ];
      await refused(made, 'climbs out of the image')();
      expect(readFileSync(join(canary(), 'file'), 'utf8')).toBe('alive');
    });
  });

  it('leaves nothing where the source fails in the middle', async () => {
    const before = everything();
    const source = Readable.from(
      (async function* () {
        yield archive(...good).subarray(0, 2048);
        throw new Error('gone');
      })(),
    );
    await expect(loadImages(source)).rejects.toThrow('gone');
    expect(everything()).toEqual(before);
  });
});
