import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { applyLayer } from '../../../src/image/layer/index.ts';
import { archive, file, type Made, symlink } from '../../fixtures/tar.ts';
import { describeRoot } from '../support/tsbox.ts';
import { useStore } from './support/store.ts';

describeRoot('many small files in one piece', () => {
  const store = useStore();

  const unpack = async (bytes: Buffer) => {
    const path = join(store.root, 'layer');
    mkdirSync(path);
    const applied = await applyLayer(
      (async function* () {
        yield bytes;
      })(),
      path,
    );
    return { path, applied };
  };
  const numbered = (count: number, more: (index: number) => Partial<Made> = () => ({})) =>
    Array.from({ length: count }, (_, index) => file(`f${index}`, `content ${index}`, more(index)));

  it('have their own content and attributes', async () => {
    const more = (index: number) => ({
      mode: index % 2 ? 0o4755 : 0o640,
      uid: index % 3,
      gid: index % 5,
      mtime: 1e9 + index,
    });
    const { path, applied } = await unpack(
      archive(...numbered(300, more), file('empty', '', { uid: 7, mode: 0o600 })),
    );
    expect(applied.entries).toBe(301);
    for (let index = 0; index < 300; index++) {
      const at = join(path, `f${index}`);
      expect(readFileSync(at, 'latin1')).toBe(`content ${index}`);
      const { mode, uid, gid, mtimeMs } = statSync(at);
      const { mtime, ...others } = more(index);
      expect({ mode: mode & 0o7777, uid, gid }).toEqual(others);
      expect(mtimeMs).toBe(mtime * 1000);
    }
    expect(statSync(join(path, 'empty'))).toMatchObject({ size: 0, uid: 7, mode: 0o100600 });
  });

  it('go on after one that is there already, and after one whose directory is missing', async () => {
    const [first, ...others] = numbered(100);
    const middle = [file('f3', 'anew'), file('f3', 'and again'), file('deep/er/f', 'deep')];
    const { path, applied } = await unpack(
      archive(first as Made, ...others.slice(0, 40), ...middle, ...others.slice(40)),
    );
    expect(readFileSync(join(path, 'f3'), 'latin1')).toBe('and again');
    expect(readFileSync(join(path, 'deep/er/f'), 'latin1')).toBe('deep');
    expect(readFileSync(join(path, 'f99'), 'latin1')).toBe('content 99');
    expect(applied.implied.sort()).toEqual(['deep', 'deep/er']);
  });

  it('never write through a symbolic link out of the layer', async () => {
    const outside = join(store.root, 'outside');
    writeFileSync(outside, 'as it was');
    const entries = [
      symlink('link', outside),
      symlink('d', store.root),
      ...numbered(70),
      file('link', 'mine'),
    ];
    const { path } = await unpack(archive(...entries));
    expect(readFileSync(outside, 'latin1')).toBe('as it was');
    expect(readFileSync(join(path, 'link'), 'latin1')).toBe('mine');
  });

  it('say the first thing that is wrong, also where what follows cannot be read', async () => {
    const entries = [file('a', '1'), file('a/b', '2'), ...numbered(5)];
    const bytes = Buffer.concat([archive(...entries).subarray(0, -1024), Buffer.alloc(512, 'x')]);
    await expect(unpack(bytes)).rejects.toMatchObject({
      code: 'UNSAFE_ARCHIVE',
      message: expect.stringContaining('which is not a directory'),
    });
    expect(existsSync(join(store.root, 'layer', 'f0'))).toBe(false);
  });
});
