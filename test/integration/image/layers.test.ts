import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readImageFile } from '../../../src/image/index.ts';
import { applyLayer } from '../../../src/image/layer/index.ts';
import { archive, directory, file, hardLink, type Made, symlink } from '../../fixtures/tar.ts';
import { isRoot, needsRoot, useStore } from './support/store.ts';

const busybox = '/bin/busybox';
// In a container, an overlay on an overlay may be refused: then there is nothing to compare with.
const canMount = isRoot && existsSync(busybox) && overlayWorks();
const needs = isRoot
  ? ' (skipped: needs busybox-static, and overlayfs on the temporary directory)'
  : needsRoot;

describe.skipIf(!canMount)(`layers${canMount ? '' : needs}`, () => {
  const store = useStore();

  /** Unpacks archives, the lowest first. */
  const unpack = async (...layers: Made[][]): Promise<string[]> => {
    const paths: string[] = [];
    for (const [index, entries] of layers.entries()) {
      const path = join(store.root, `layer${index}`);
      mkdirSync(path);
      await applyLayer(one(archive(...entries)), path);
      paths.push(path);
    }
    return paths;
  };

  /** What a program in a root of these layers prints: overlayfs's own answer. */
  const inside = (layers: string[], script: string): string => {
    const work = join(store.root, 'mounted');
    mkdirSync(work, { recursive: true });
    mkdirSync(join(store.root, 'tools'), { recursive: true });
    execFileSync('cp', [busybox, join(store.root, 'tools/busybox')]);
    const lower = [join(store.root, 'tools'), ...layers.toReversed()].join(':');
    const mount = 'mount -t overlay -o "lowerdir=$1" none "$2" && exec chroot "$2" /busybox sh -c "$3"';
    return execFileSync('unshare', ['-m', 'sh', '-c', mount, 'sh', lower, work, script], {
      encoding: 'utf8',
    });
  };
  const list = (layers: string[]) =>
    inside(layers, '/busybox find / -xdev ! -name busybox | /busybox sort').trim().split('\n').slice(1);

  const base = [
    directory('etc'),
    file('etc/keep', '1'),
    file('etc/gone', '1'),
    directory('full'),
    file('full/old', '1'),
    directory('full/sub'),
    file('full/sub/old', '1'),
    directory('tree'),
    file('tree/old', '1'),
    directory('again'),
    file('again/old', '1'),
  ];

  it('hide what whiteouts say is gone', async () => {
    const layers = await unpack(base, [
      directory('etc'),
      file('etc/.wh.gone'),
      file('.wh.tree'),
      directory('full'),
      file('full/new', '2'),
      file('full/.wh..wh..opq'),
      file('.wh..wh.plnk', 'aufs'),
    ]);
    expect(list(layers)).toEqual(['/again', '/again/old', '/etc', '/etc/keep', '/full', '/full/new']);
  });

  it('may hide a name and have it, in either order, and then the old content is gone', async () => {
    const layers = await unpack(base, [
      file('.wh.again'),
      directory('again'),
      file('again/new', '2'),
      directory('tree'),
      file('tree/new', '2'),
      file('.wh.tree'),
      file('etc/.wh.gone'),
      file('etc/gone', 'back'),
      file('full/sub', 'now a file'),
    ]);
    expect(list(layers)).toEqual([
      '/again',
      '/again/new',
      '/etc',
      '/etc/gone',
      '/etc/keep',
      '/full',
      '/full/old',
      '/full/sub',
      '/tree',
      '/tree/new',
    ]);
    expect(inside(layers, '/busybox cat /etc/gone /full/sub')).toBe('backnow a file');
  });

  it("may say it in overlayfs's own way, with a character device 0:0", async () => {
    const layers = await unpack(base, [{ name: 'etc/gone', type: '3' }]);
    expect(list(layers)).not.toContain('/etc/gone');
    expect(list(layers)).toContain('/etc/keep');
  });

  it('keep their links to themselves: what the upper writes behind a name, the lower has not redirected', async () => {
    const layers = await unpack(
      [
        directory('real'),
        file('real/kept', '1'),
        symlink('link', 'real'),
        symlink('out', '../../..'),
        symlink('abs', '/etc'),
        file('plain', '1'),
      ],
      [
        file('link/new', '2'),
        file('out/etc/new', '2'),
        directory('abs'),
        file('abs/.wh.passwd'),
        file('plain/below', '2'),
      ],
    );
    // A directory of the upper layer takes the place of the lower one's link, as in Docker and containerd on overlayfs.
    expect(list(layers)).toEqual([
      '/abs',
      '/link',
      '/link/new',
      '/out',
      '/out/etc',
      '/out/etc/new',
      '/plain',
      '/plain/below',
      '/real',
      '/real/kept',
    ]);
  });

  it('refuse a hard link to a file of the layer below, as every program that unpacks them one by one', async () => {
    await expect(unpack([file('lower', '1')], [hardLink('upper', 'lower')])).rejects.toThrow(
      '`upper` is a hard link to `lower`, which is not in the archive before it',
    );
  });

  it('tell which directories they leave out', async () => {
    const implied = async (...entries: Made[]) => {
      const path = join(store.root, `layer-${readdirSync(store.root).length}`);
      mkdirSync(path);
      return (await applyLayer(one(archive(...entries)), path)).implied.sort();
    };
    expect(await implied(file('a/b/c'), file('d/x'), directory('e'))).toEqual(['a', 'a/b', 'd']);
    expect(await implied(file('a/b/c'), directory('a/b'), directory('f'), file('f/x'))).toEqual(['a']);
    expect(await implied(file('a/.wh.b'), file('c/.wh..wh..opq'))).toEqual(['a', 'c']);
    // With a whiteout of its own name it is another directory than the one below.
    expect(await implied(file('a/b/x'), file('.wh.a'))).toEqual(['a/b']);
    // Behind symbolic links, also where the directory is described by another path than it was made by.
    const links = [directory('run'), symlink('link', 'run')];
    expect(await implied(...links, file('link/foo/x'))).toEqual(['run/foo']);
    expect(await implied(...links, file('link/foo/x'), directory('run/foo'))).toEqual([]);
    expect(await implied(...links, file('run/foo/x'), directory('link/foo', { mode: 0o700 }))).toEqual([]);
    expect(statSync(join(store.root, 'layer-6/run/foo')).mode & 0o777).toBe(0o700);
    expect(await implied(file(Buffer.from('caf\xe9/x', 'latin1') as unknown as string))).toEqual(['caf\xe9']);
  });

  it('are read as overlayfs shows them', async () => {
    const layers = await unpack(
      [
        ...base,
        directory('usr'),
        directory('usr/lib'),
        file('usr/lib/passwd', 'low'),
        symlink('etc/passwd', '/usr/lib/passwd'),
        symlink('etc/group', '../../../usr/lib/group'),
        symlink('loop', 'loop2'),
        symlink('loop2', 'loop'),
        { name: 'fifo', type: '6' },
        { name: 'null', type: '3', major: 1, minor: 3 },
        symlink('lib', 'usr/lib'),
        file('hard', 'h'),
        hardLink('etc/hard', 'hard'),
      ],
      [
        directory('usr'),
        directory('usr/lib'),
        file('usr/lib/group', 'middle'),
        file('usr/lib/passwd', 'middle'),
        file('etc/.wh.gone'),
        directory('full'),
        file('full/.wh..wh..opq'),
        file('full/new', '2'),
        file('.wh.tree'),
        symlink('a', 'b/../b/c'),
        directory('b'),
        symlink('b/c', '/lib/passwd'),
      ],
      [
        directory('tree'),
        file('tree/new', 'top'),
        file('usr/lib/passwd', 'top'),
        symlink('out', '../../../../../../etc/hostname'),
        symlink('again', 'full'),
        file('etc/keep/below', ''),
      ],
    );
    const paths = [
      '/etc/passwd',
      'etc/passwd',
      '/etc/group',
      '/etc/keep',
      '/etc/gone',
      '/etc/hard',
      '/usr/lib/passwd',
      '/usr/lib/group',
      '/lib/group',
      '/lib/passwd',
      '/full/old',
      '/full/new',
      '/full/sub/old',
      '/tree/old',
      '/tree/new',
      '/again/old',
      '/again/new',
      '/a',
      '/b/c',
      '/loop',
      '/fifo',
      '/null',
      '/etc',
      '/',
      '/etc/passwd/x',
      '/etc/../etc/./group',
      '/../../etc/group',
      '/out',
      '/nothing',
      '/etc/nothing/x',
      '/etc/keep/below',
    ];
    // test -f, because cat would wait for ever at a FIFO, as we must not.
    const script = paths
      .map((path) => `[ -f '${path}' ] && /busybox cat '${path}' || echo none; echo ,`)
      .join('\n');
    const expected = inside(layers, `cd /; ${script}`)
      .replace(/\n,\n?/g, ',')
      .replace(/,\n?/g, ',')
      .split(',')
      .slice(0, -1);
    const ours = paths.map((path) => readImageFile(layers, path, 1000)?.toString() ?? 'none');
    expect(Object.fromEntries(paths.map((path, index) => [path, ours[index]]))).toEqual(
      Object.fromEntries(paths.map((path, index) => [path, expected[index]])),
    );
    expect(ours.filter((content) => content !== 'none').length).toBeGreaterThan(12);
  });

  it('are read one by one as well, and never left', async () => {
    const [layer = ''] = await unpack([
      directory('etc'),
      symlink('etc/shadow', '/../../../../etc/shadow'),
      symlink('etc/self', '/proc/self/environ'),
      symlink('etc/os', '/usr/os'),
      directory('usr'),
      file('usr/os', 'inside'),
      { name: 'fifo', type: '6' },
    ]);
    expect(readImageFile([layer], '/etc/os', 100)?.toString()).toBe('inside');
    expect(readImageFile([layer], '../../../../../../etc/shadow', 1e6)).toBeUndefined();
    for (const path of [
      '/etc/shadow',
      '/etc/self',
      '/fifo',
      '/etc',
      '/etc/os/x',
      '',
      `/${'x'.repeat(5000)}`,
    ]) {
      expect(readImageFile([layer], path, 1e6)).toBeUndefined();
    }
    expect(() => readImageFile([layer], '/usr/os', 5)).toThrow(
      expect.objectContaining({ code: 'FILE_TOO_LARGE' }),
    );
    expect(readFileSync(join(layer, 'usr/os'), 'utf8')).toBe('inside');
  });
});

async function* one(bytes: Buffer) {
  yield bytes;
}

function overlayWorks(): boolean {
  const script =
    'd=$(mktemp -d) && mkdir $d/a $d/b $d/c && mount -t overlay -o lowerdir=$d/a:$d/b none $d/c; s=$?; umount $d/c 2>/dev/null; rm -r $d; exit $s';
  return spawnSync('unshare', ['-m', 'sh', '-c', script]).status === 0;
}
