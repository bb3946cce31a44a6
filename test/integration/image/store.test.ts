import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  findImage,
  listImages,
  removeImage,
  type StoredImage,
  sweepImages,
} from '../../../src/image/index.ts';
import { archive, file } from '../../fixtures/tar.ts';
import { filesOf, importBytes, isRoot, needsRoot, useStore } from './support/store.ts';

const one = archive(file('a', 'one'));
const two = archive(file('a', 'two'));

describe.skipIf(!isRoot)(`the store of images${needsRoot}`, () => {
  const store = useStore();
  const code = (expected: string) => expect.objectContaining({ code: expected });

  it('finds an image by any of its names and by its id', async () => {
    const image = await importBytes(one, 'docker.io/library/web:1');
    await importBytes(two, 'other');
    const references = [
      'web:1',
      'library/web:1',
      'docker.io/library/web:1',
      image.id,
      image.id.slice(7),
      image.id.slice(7, 19),
      `web@${image.digest}`,
    ];
    for (const reference of references) expect(findImage(reference)).toEqual(image);
    expect(image).toMatchObject({ name: 'web:1', size: 3 });
    expect(image.layers.every((layer) => statSync(layer).isDirectory())).toBe(true);
  });

  it('says what is not there, and what might have been meant', async () => {
    expect(() => findImage('alpine')).toThrow(code('IMAGE_NOT_FOUND'));
    await importBytes(one, 'alpine');
    expect(() => findImage('apline')).toThrow(
      'there is no image `apline` in the store; did you mean `alpine`?',
    );
    expect(() => findImage('alpine:3')).toThrow('did you mean `alpine:latest`?');
    expect(() => findImage('nginx')).toThrow(
      expect.objectContaining({ advice: expect.stringMatching(/tsbox import FILE nginx .*tsbox images/) }),
    );
    for (const reference of ['', '../alpine', 'Alpine', 'alpine\n', '/etc/passwd']) {
      expect(() => findImage(reference)).toThrow(code('IMAGE_NOT_FOUND'));
    }
  });

  it('is for root alone', async () => {
    await importBytes(one, 'a');
    for (const path of [
      'images',
      'images/blobs',
      'layers',
      ...readdirSync(join(store.root, 'layers')).map((name) => `layers/${name}`),
    ]) {
      expect([path, (statSync(join(store.root, path)).mode & 0o777).toString(8)]).toEqual([path, '700']);
    }
    expect(statSync(join(store.root, 'images/index.json')).mode & 0o777).toBe(0o600);
  });

  it('gives a name to the newer image, and keeps the older one by its id', async () => {
    const older = await importBytes(one, 'a');
    const newer = await importBytes(two, 'a');
    expect(findImage('a')).toEqual(newer);
    expect(findImage(older.id)).toEqual({ ...older, name: '' });
    expect(listImages().map(({ name, id }) => [name, id])).toEqual([
      ['', older.id],
      ['a:latest', newer.id],
    ]);
    expect(removeImage(older.id)).toEqual({ untagged: [], deleted: [older.id, layerOf(older)] });
    expect(findImage('a')).toEqual(newer);
  });

  it('removes what no other image needs, and nothing else', async () => {
    const empty = await importBytes(archive(file('b')), 'kept').then(() => filesOf(store.root));
    const first = await importBytes(one, 'first');
    const second = await importBytes(one, 'second');
    expect(second.layers).toEqual(first.layers);
    expect(removeImage('first')).toEqual({ untagged: ['first:latest'], deleted: [first.id] });
    expect(existsSync(first.layers[0] as string)).toBe(true);
    expect(removeImage(second.id.slice(7, 20))).toEqual({
      untagged: ['second:latest'],
      deleted: [second.id, layerOf(second)],
    });
    expect(filesOf(store.root)).toEqual(empty);
    expect(() => removeImage('first')).toThrow(code('IMAGE_NOT_FOUND'));
  });

  it('does not remove an image that is in use', async () => {
    const image = await importBytes(one, 'a');
    const files = filesOf(store.root);
    const cat = { id: 'c0ffee'.padEnd(64, '0'), name: 'happy_cat', running: false };
    const inUse = (asked: StoredImage) => (asked.id === image.id ? cat : undefined);
    expect(() => removeImage('a', { inUse })).toThrow(
      `conflict: unable to remove repository reference "a" (must force) - container c0ffee000000 is using its referenced image ${image.id.slice(7, 19)}`,
    );
    expect(filesOf(store.root)).toEqual(files);
    expect(removeImage('a', { inUse: () => undefined }).untagged).toEqual(['a:latest']);
  });

  it('asks for more of an id that several images have', async () => {
    const prefixes = new Map<string, number>();
    // Ids are hashes: some two of these begin with the same two digits.
    for (let count = 0; count < 60; count++) {
      const { id } = await importBytes(archive(file('a', String(count))), `n${count}`);
      const prefix = id.slice(7, 9);
      prefixes.set(prefix, (prefixes.get(prefix) ?? 0) + 1);
      if (prefixes.get(prefix) === 2) {
        expect(() => findImage(prefix)).toThrow(code('AMBIGUOUS_ID'));
        return;
      }
    }
    expect.unreachable('sixty images, and no two with the same first two digits');
  });

  it('says what is damaged, and can still remove it', async () => {
    const image = await importBytes(one, 'a');
    await importBytes(two, 'b');
    writeFileSync(join(store.root, 'images/blobs/sha256', image.digest.slice(7)), '{"config":');
    expect(() => findImage('a')).toThrow(code('STORE_CORRUPT'));
    expect(findImage('b').name).toBe('b:latest');
    // Nobody knows now what the damaged image needs: nothing is taken away.
    sweepImages();
    expect(existsSync(image.layers[0] as string)).toBe(true);
    expect(removeImage('a')).toEqual({ untagged: ['a:latest'], deleted: [] });
    sweepImages();
    expect(existsSync(image.layers[0] as string)).toBe(false);
    writeFileSync(join(store.root, 'images/index.json'), 'not json');
    expect(() => findImage('b')).toThrow(code('STORE_CORRUPT'));
  });

  it.each<[string, (config: Record<string, unknown>) => void]>([
    [
      'a layer that climbs out',
      (config) => {
        config.rootfs = { diff_ids: ['sha256:../../../../etc'] };
      },
    ],
    [
      'a layer that is no text',
      (config) => {
        config.rootfs = { diff_ids: [{}] };
      },
    ],
    [
      'no layers',
      (config) => {
        delete config.rootfs;
      },
    ],
    [
      'a command that is no list',
      (config) => {
        config.config = { Cmd: 'sh' };
      },
    ],
    [
      'an environment of numbers',
      (config) => {
        config.config = { Env: [1] };
      },
    ],
  ])('does not believe a configuration with %s', async (_, change) => {
    const image = await importBytes(one, 'a');
    const path = join(store.root, 'images/blobs/sha256', image.id.slice(7));
    const config = { config: {}, rootfs: { type: 'layers', diff_ids: [layerOf(image)] } };
    change(config);
    writeFileSync(path, JSON.stringify(config));
    expect(() => findImage('a')).toThrow(code('STORE_CORRUPT'));
  });

  it('says so where a layer is not unpacked', async () => {
    const image = await importBytes(one, 'a');
    rmSync(image.layers[0] as string, { recursive: true });
    expect(() => findImage('a')).toThrow(code('LAYER_MISSING'));
  });

  it('is empty before there is one, and makes none to look', () => {
    expect(listImages()).toEqual([]);
    expect(readdirSync(store.root)).toEqual([]);
    mkdirSync(join(store.root, 'images'));
    expect(() => findImage('a')).toThrow(code('IMAGE_NOT_FOUND'));
  });
});

function layerOf(image: StoredImage): string {
  return `sha256:${(image.layers[0] as string).split('/').at(-2)}`;
}
