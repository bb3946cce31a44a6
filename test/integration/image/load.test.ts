import { execFileSync, spawnSync } from 'node:child_process';
import { createReadStream, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { type LoadedImage, loadImages } from '../../../src/image/archive/index.ts';
import { findImage, listImages } from '../../../src/image/index.ts';
import { json, type Layout, sha256, writeLayout } from '../../fixtures/oci-layout.ts';
import { archive, directory, file, hardLink, type Made, symlink } from '../../fixtures/tar.ts';
import { filesOf, isRoot, needsRoot, useStore } from './support/store.ts';

const has = (program: string) => spawnSync(program, ['--version']).status === 0;
const run = (program: string, ...args: string[]) =>
  execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const tars = ['lower', 'upper'].map((name) => archive(file(name, name.repeat(30_000)), file('both', name)));
const layers = tars.map((tar) => ({ tar }));
const config = { Cmd: ['/bin/sh'], Env: ['A=1'] };

describe.skipIf(!isRoot)(`loading images${needsRoot}`, () => {
  const store = useStore();
  const layoutOf = (settings: Partial<Parameters<typeof writeLayout>[1]> = {}): Layout =>
    writeLayout(join(store.root, 'layout'), { layers, config, name: 'two:1', ...settings });
  const pack = (layout: Layout): string => {
    const path = join(store.root, 'layout.tar');
    run('tar', '-C', layout.path, '-cf', path, 'blobs', 'index.json', 'oci-layout');
    return path;
  };

  /** What the image is, from the store and from its files. */
  const expectImage = (name: string, id: string) => {
    const image = findImage(name);
    expect(image).toMatchObject({ name, id, config });
    expect(image.layers.map((layer) => readFileSync(join(layer, 'both'), 'utf8'))).toEqual([
      'lower',
      'upper',
    ]);
    expect(image.size).toBe(2 * (5 * 30_000 + 5));
    expect(filesOf(store.root).filter((path) => path.includes('.unfinished'))).toEqual([]);
    return image;
  };

  it.each(['oci', 'docker'] as const)(
    'keeps digests and manifests of an OCI archive (%s types)',
    async (types) => {
      const layout = layoutOf({ types });
      const loaded = await loadImages(pack(layout));
      const { digest } = layout.descriptor;
      expect(loaded).toEqual([{ name: 'two:1', id: layout.config.digest, digest }]);
      expect(expectImage('two:1', layout.config.digest).digest).toBe(digest);
      const stored = join(store.root, 'images/blobs/sha256', digest.slice(7));
      expect(readFileSync(stored).equals(layout.manifest)).toBe(true);
      // Once more: what is there already is checked, and not made again.
      expect(await loadImages(pack(layout))).toEqual(loaded);
      expect(listImages()).toHaveLength(1);
    },
  );

  it.skipIf(!has('skopeo'))('takes what skopeo writes (skipped without it)', async () => {
    const layout = layoutOf();
    for (const format of ['docker-archive', 'oci-archive']) {
      const path = join(store.root, `${format}.tar`);
      run('skopeo', 'copy', '-q', `oci:${layout.path}:two:1`, `${format}:${path}:${format}/two:1`);
      const [loaded] = await loadImages(path);
      expect(loaded).toMatchObject({ name: `${format}/two:1` });
      expectImage(`${format}/two:1`, (loaded as LoadedImage).id);
    }
  });

  it.skipIf(!has('podman'))('takes what podman writes (skipped without it)', async () => {
    const layout = layoutOf();
    const podman = (...args: string[]) =>
      run(
        'podman',
        '--root',
        `${store.root}/podman`,
        '--runroot',
        `${store.root}/run`,
        '--storage-driver',
        'vfs',
        ...args,
      );
    podman('load', '-q', '-i', pack(layout));
    for (const format of ['docker-archive', 'oci-archive']) {
      const path = join(store.root, `${format}.tar`);
      podman('save', '-q', '--format', format, '-o', path, 'two:1');
      const [loaded] = await loadImages(createReadStream(path));
      expect(loaded?.name).toBe('localhost/two:1');
      expectImage('localhost/two:1', (loaded as LoadedImage).id);
    }
  });

  it('keeps the manifest that is here of an image that comes back without one', async () => {
    const layout = layoutOf();
    await loadImages(pack(layout));
    const text = readFileSync(blobPath(layout, layout.config.digest));
    const made = [
      file('c.json', text),
      ...tars.map((tar, index) => file(`${index}.tar`, tar)),
      file('manifest.json', json([{ Config: 'c.json', RepoTags: ['two:2'], Layers: ['0.tar', '1.tar'] }])),
    ];
    expect(await loadImages(Readable.from([archive(...made)]))).toEqual([
      { name: 'two:2', id: layout.config.digest, digest: layout.descriptor.digest },
    ]);
    expect(listImages().map(({ name, digest }) => [name, digest])).toEqual([
      ['two:1', layout.descriptor.digest],
      ['two:2', layout.descriptor.digest],
    ]);
    expect(filesOf(store.root).filter((each) => each.startsWith('images/blobs/sha256/'))).toHaveLength(4);
  });

  it.each([
    ['two whole layers', (tar: Buffer) => file('b/layer.tar', tar)],
    [
      'the second as a symbolic link',
      (tar: Buffer) => [file('c/layer.tar', tar), symlink('b/layer.tar', '../c/layer.tar')],
    ],
    [
      'the second as a hard link',
      (tar: Buffer) => [file('c/layer.tar', tar), hardLink('b/layer.tar', 'c/layer.tar')],
    ],
    [
      'the link before its file',
      (tar: Buffer) => [symlink('b/layer.tar', '../c/layer.tar'), file('c/layer.tar', tar)],
    ],
    ['one in gzip', (tar: Buffer) => file('b/layer.tar', execFileSync('gzip', ['-c'], { input: tar }))],
    ['one in zstd', (tar: Buffer) => file('b/layer.tar', execFileSync('zstd', ['-c'], { input: tar }))],
  ])('takes an archive as Docker wrote it before 25, with %s', async (_, second) => {
    const text = readFileSync(blobPath(layoutOf(), layoutOf().config.digest));
    const id = sha256(text);
    const made: Made[] = [
      directory('a/'),
      file('a/VERSION', '1.0'),
      file('a/json', '{}'),
      file('a/layer.tar', tars[0] as Buffer),
      directory('b/'),
      ...[second(tars[1] as Buffer)].flat(),
      file(`${id.slice(7)}.json`, text),
      file(
        'manifest.json',
        json([
          {
            Config: `${id.slice(7)}.json`,
            RepoTags: ['two:1', 'localhost:5000/other:2'],
            Layers: ['a/layer.tar', 'b/layer.tar'],
          },
        ]),
      ),
      file('repositories', '{}'),
    ];
    const loaded = await loadImages(Readable.from([archive(...made)]));
    expect(loaded.map(({ name }) => name)).toEqual(['two:1', 'localhost:5000/other:2']);
    expectImage('two:1', id);
    expectImage('localhost:5000/other:2', id);
  });

  it.each(['gzip', 'zstd', 'xz', 'cat'])(
    'takes an archive in %s from a pipe that gives a byte first',
    async (program) => {
      const layout = layoutOf();
      const bytes = execFileSync('sh', ['-c', `${program} <"$1"`, 'sh', pack(layout)], {
        maxBuffer: 1 << 26,
      });
      const pieces = [bytes.subarray(0, 1), bytes.subarray(1, 3), bytes.subarray(3)];
      const progress: number[] = [];
      await loadImages(Readable.from(pieces), { onProgress: (received) => progress.push(received) });
      expect(progress.at(-1)).toBe(bytes.length);
      expectImage('two:1', layout.config.digest);
    },
  );

  it.each<[string, object | undefined, string | undefined]>([
    [
      'podman, which writes the name',
      { 'org.opencontainers.image.ref.name': 'docker.io/library/two:1' },
      'two:1',
    ],
    ['skopeo, which writes what it is told', { 'org.opencontainers.image.ref.name': 'two' }, 'two:latest'],
    [
      'Docker, which writes both',
      { 'io.containerd.image.name': 'docker.io/library/two:9', 'org.opencontainers.image.ref.name': '9' },
      'two:9',
    ],
    ['others, which write the tag only', { 'org.opencontainers.image.ref.name': 'latest' }, undefined],
    ['others, whose tag is a version', { 'org.opencontainers.image.ref.name': '3.20' }, undefined],
    ['nobody', undefined, undefined],
  ])('takes the name of %s', async (_, annotations, name) => {
    const layout = layoutOf();
    writeFileSync(
      join(layout.path, 'index.json'),
      json({ schemaVersion: 2, manifests: [{ ...layout.descriptor, annotations }] }),
    );
    const [loaded] = await loadImages(pack(layout));
    expect(loaded).toEqual({ name, id: layout.config.digest, digest: layout.descriptor.digest });
    expect(listImages().map((image) => image.name)).toEqual([name ?? '']);
  });

  it('takes the image for this machine out of an index, and no attestations', async () => {
    const layout = layoutOf();
    const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
    const absent = { ...layout.descriptor, digest: `sha256:${'a'.repeat(64)}` };
    const index = json({
      schemaVersion: 2,
      manifests: [
        { ...absent, platform: { os: 'linux', architecture: 'riscv64' } },
        { ...absent, platform: { os: 'windows', architecture } },
        {
          ...absent,
          platform: { os: 'unknown', architecture: 'unknown' },
          annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
        },
        { ...layout.descriptor, platform: { os: 'linux', architecture } },
      ],
    });
    const digest = sha256(index);
    writeFileSync(blobPath(layout, digest), index);
    const mediaType = 'application/vnd.oci.image.index.v1+json';
    const annotations = { 'org.opencontainers.image.ref.name': 'many:1' };
    const top = json({
      schemaVersion: 2,
      manifests: [{ mediaType, digest, size: index.length, annotations }],
    });
    writeFileSync(join(layout.path, 'index.json'), top);
    const [loaded] = await loadImages(pack(layout));
    expect(loaded).toEqual({ name: 'many:1', id: layout.config.digest, digest: layout.descriptor.digest });
  });
});

function blobPath(layout: Layout, digest: string): string {
  return join(layout.path, 'blobs/sha256', digest.slice(7));
}
