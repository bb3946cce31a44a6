import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { type ArchiveFormat, loadImages, saveImages } from '../../../src/image/archive/index.ts';
import { listImages, type StoredImage } from '../../../src/image/index.ts';
import { sha256, writeLayout } from '../../fixtures/oci-layout.ts';
import { archive, file } from '../../fixtures/tar.ts';
import { importBytes, isRoot, needsRoot, useStore } from './support/store.ts';

const has = (program: string) => spawnSync(program, ['--version']).status === 0;
const output = (program: string, ...args: string[]) =>
  execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const tars = ['lower', 'upper'].map((name) => archive(file(name, name.repeat(30_000)), file('both', name)));

describe.skipIf(!isRoot)(`saving images${needsRoot}`, () => {
  const store = useStore();

  /** An image of three layers, one in each compression, the last one twice. */
  async function three(types: 'oci' | 'docker' = 'oci'): Promise<StoredImage> {
    const layers = [
      { tar: tars[0] as Buffer },
      { tar: tars[1] as Buffer, compression: 'zstd' as const },
      { tar: tars[1] as Buffer, compression: 'zstd' as const },
      { tar: archive(file('plain')), compression: 'none' as const },
    ];
    const layout = writeLayout(join(store.root, 'layout'), { layers, types, name: 'three:1' });
    const tar = join(store.root, 'layout.tar');
    execFileSync('tar', ['-C', layout.path, '-cf', tar, 'blobs', 'index.json', 'oci-layout']);
    const [loaded] = await loadImages(tar);
    expect(loaded).toEqual({ name: 'three:1', id: layout.config.digest, digest: layout.descriptor.digest });
    return listImages().find(({ name }) => name === 'three:1') as StoredImage;
  }

  async function saved(names: string[], format?: ArchiveFormat): Promise<string> {
    const path = join(store.root, `${format}.tar`);
    writeFileSync(path, await buffer(saveImages(names, format === undefined ? {} : { format })));
    return path;
  }

  const blob = (digest: string) => readFileSync(join(store.root, 'images/blobs/sha256', digest.slice(7)));

  describe.skipIf(!has('skopeo'))('for skopeo (skipped without it)', () => {
    it.each(['docker-archive', 'oci-archive'] as const)(
      'writes an OCI archive with the manifest of the store (%s)',
      async (format) => {
        const image = await three();
        const path = await saved(['three:1'], format);
        const raw = output('skopeo', 'inspect', '--raw', `oci-archive:${path}:three:1`);
        expect(sha256(raw)).toBe(image.digest);
        output('skopeo', 'copy', '-q', `oci-archive:${path}`, `dir:${store.root}/copy`);
        expect(readFileSync(`${store.root}/copy/manifest.json`).equals(blob(image.digest))).toBe(true);
      },
    );

    it.each(['oci', 'docker'] as const)(
      'writes a docker-archive of an image with %s types',
      async (types) => {
        const image = await three(types);
        const path = await saved(['three:1']);
        const source = `docker-archive:${path}:docker.io/library/three:1`;
        expect(sha256(output('skopeo', 'inspect', '--config', '--raw', source))).toBe(image.id);
        output('skopeo', 'copy', '-q', source, `oci:${store.root}/copy:x`);
        const unpacked = join(store.root, 'unpacked');
        mkdirSync(unpacked);
        const manifest = JSON.parse(output('skopeo', 'inspect', '--raw', `oci:${store.root}/copy:x`));
        for (const { digest } of manifest.layers)
          execFileSync('tar', ['-C', unpacked, '-xzf', `${store.root}/copy/blobs/sha256/${digest.slice(7)}`]);
        expect(readFileSync(join(unpacked, 'both'), 'utf8')).toBe('upper');
        expect(readFileSync(join(unpacked, 'lower'), 'utf8')).toBe('lower'.repeat(30_000));
      },
    );
  });

  it.skipIf(!has('podman'))('writes what podman loads (skipped without it)', async () => {
    const image = await three();
    const podman = (...args: string[]) =>
      output(
        'podman',
        '--root',
        `${store.root}/podman`,
        '--runroot',
        `${store.root}/run`,
        '--storage-driver',
        'vfs',
        ...args,
      );
    for (const format of ['docker-archive', 'oci-archive'] as const) {
      const path = await saved(['three:1'], format);
      expect(podman('load', '-q', '-i', path)).toBe('Loaded image: docker.io/library/three:1\n');
      expect(podman('image', 'inspect', '--format', '{{.Id}}', 'three:1').trim()).toBe(image.id.slice(7));
      podman('rmi', '-f', 'three:1');
    }
  });

  it('makes the same bytes of the same images, in whatever store they are', async () => {
    await three();
    await importBytes(tars[0] as Buffer, 'other');
    const first = await buffer(saveImages(['three:1', 'other']));
    process.env.TSBOX_ROOT = join(store.root, 'elsewhere');
    await loadImages(Readable.from([first]));
    expect(await buffer(saveImages(['three:1', 'other']))).toEqual(first);
  });

  it('saves each image once, with the names that were asked for', async () => {
    const image = await importBytes(tars[0] as Buffer, 'a:1');
    await importBytes(tars[1] as Buffer, 'a:2');
    await importBytes(tars[1] as Buffer, 'registry.example:5000/b');
    const list = async (...names: string[]) =>
      JSON.parse(output('tar', '-xOf', await saved(names), 'manifest.json')).map(
        (each: { RepoTags: string[] }) => each.RepoTags,
      );
    expect(await list('a')).toEqual([['a:1'], ['a:2']]);
    expect(await list('docker.io/library/a:1', 'a:1')).toEqual([['a:1']]);
    expect(await list(image.id.slice(7, 19))).toEqual([[]]);
    expect(await list(`a@${image.digest}`)).toEqual([[]]);
    expect(await list(image.id, 'a:1')).toEqual([['a:1']]);
    const both = await saved(['a:1', 'registry.example:5000/b']);
    expect(
      JSON.parse(output('tar', '-xOf', both, 'index.json')).manifests.map(
        (each: { annotations: object }) => each.annotations,
      ),
    ).toEqual([
      { 'io.containerd.image.name': 'docker.io/library/a:1', 'org.opencontainers.image.ref.name': 'a:1' },
      {
        'io.containerd.image.name': 'registry.example:5000/b:latest',
        'org.opencontainers.image.ref.name': 'registry.example:5000/b:latest',
      },
    ]);
    expect(() => saveImages(['a:1', 'none'])).toThrow('there is no image `none` in the store');
  });

  it('does not give away a damaged blob', async () => {
    const image = await three();
    const layer = JSON.parse(blob(image.digest).toString()).layers[0].digest as string;
    const path = join(store.root, 'images/blobs/sha256', layer.slice(7));
    const bytes = readFileSync(path);
    bytes[100] = (bytes[100] as number) ^ 1;
    writeFileSync(path, bytes);
    await expect(saved(['three:1'])).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      message: `blob ${layer} of the image store is damaged`,
    });
    writeFileSync(path, bytes.subarray(1));
    expect(() => saveImages(['three:1'])).toThrow(`blob ${layer} of the image store is damaged`);
  });
});
