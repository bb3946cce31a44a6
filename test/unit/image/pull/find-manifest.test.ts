import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { findManifest, readConfiguration } from '../../../../src/image/pull/find-manifest.ts';
import { parsePlatform } from '../../../../src/image/pull/platform.ts';
import type { Manifest, Repository } from '../../../../src/image/registry/index.ts';

const OCI = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';
const LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
const DOCKER = 'application/vnd.docker.distribution.manifest.v2+json';
const GZIP = 'application/vnd.oci.image.layer.v1.tar+gzip';
const digest = (text: string | Buffer) => `sha256:${createHash('sha256').update(text).digest('hex')}`;
const amd64 = parsePlatform('linux/amd64');

/** A registry of these documents; nothing else may be asked of it. */
function registry(...documents: object[]) {
  const files = new Map<string, Manifest>();
  const add = (document: object): Manifest => {
    const bytes = Buffer.from(JSON.stringify(document));
    const mediaType = String((document as { mediaType?: string }).mediaType ?? '');
    const file = { bytes, digest: digest(bytes), mediaType };
    files.set(file.digest, file);
    return file;
  };
  documents.forEach(add);
  const asked: string[] = [];
  const repository = {
    name: 'r.example/app',
    manifest: async (wanted: string) => {
      asked.push(wanted);
      const file = files.get(wanted);
      if (file === undefined) throw new Error(`asked for ${wanted}`);
      return file;
    },
  } as unknown as Repository;
  return { add, asked, repository };
}

const image = (more: object = {}, name = 'a') => ({
  schemaVersion: 2,
  mediaType: OCI,
  config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digest(name), size: 10 },
  layers: [{ mediaType: GZIP, digest: digest('layer'), size: 100 }],
  ...more,
});

async function refusal(document: object): Promise<string> {
  const { add, repository } = registry();
  const error = await findManifest(repository, add(document), amd64).then(
    () => undefined,
    (error) => error,
  );
  expect(error).toMatchObject({ exitCode: 125 });
  return `${error.code}: ${error.message}`;
}

describe('findManifest', () => {
  it.each([INDEX, LIST])('chooses from %s by platform', async (mediaType) => {
    const { add, asked, repository } = registry();
    const [small, large] = [add(image({}, '386')), add(image({}, 'amd64'))];
    const entry = (file: Manifest, architecture: string) => ({
      mediaType: OCI,
      digest: file.digest,
      size: file.bytes.length,
      platform: { os: 'linux', architecture },
    });
    const manifests = [entry(small, '386'), entry(large, 'amd64')];
    const index = add({ schemaVersion: 2, mediaType, manifests });
    expect((await findManifest(repository, index, amd64)).config.digest).toBe(digest('amd64'));
    expect((await findManifest(repository, index, parsePlatform('linux/386'))).config.digest).toBe(
      digest('386'),
    );
    expect(asked).toEqual([large.digest, small.digest]);
    await expect(findManifest(repository, index, parsePlatform('linux/arm64'))).rejects.toMatchObject({
      code: 'NO_PLATFORM',
      message: '`r.example/app` is not there for linux/arm64, but for linux/386, linux/amd64',
    });
  });

  it('takes the lower variant where the exact one is not there', async () => {
    const { add, repository } = registry();
    const file = add(image());
    const platform = { os: 'linux', architecture: 'arm', variant: 'v6' };
    const manifests = [{ mediaType: OCI, digest: file.digest, size: file.bytes.length, platform }];
    const index = add({ schemaVersion: 2, mediaType: INDEX, manifests });
    const found = await findManifest(repository, index, parsePlatform('linux/arm/v7'));
    expect(found.file.digest).toBe(file.digest);
    await expect(findManifest(repository, index, parsePlatform('linux/arm/v5'))).rejects.toMatchObject({
      code: 'NO_PLATFORM',
    });
  });

  it('compares the size that the index says', async () => {
    const { add, repository } = registry();
    const file = add(image());
    const platform = { os: 'linux', architecture: 'amd64' };
    const manifests = [{ mediaType: OCI, digest: file.digest, size: file.bytes.length + 1, platform }];
    const index = add({ schemaVersion: 2, mediaType: INDEX, manifests });
    await expect(findManifest(repository, index, amd64)).rejects.toMatchObject({ code: 'BAD_MANIFEST' });
  });

  it('follows four indexes in each other, and no more', async () => {
    const { add, repository } = registry();
    const wrap = (file: Manifest) =>
      add({
        schemaVersion: 2,
        mediaType: INDEX,
        manifests: [{ mediaType: INDEX, digest: file.digest, size: file.bytes.length }],
      });
    let file = add(image());
    for (let depth = 0; depth < 4; depth++) file = wrap(file);
    expect((await findManifest(repository, file, amd64)).layers).toHaveLength(1);
    await expect(findManifest(repository, wrap(file), amd64)).rejects.toMatchObject({ code: 'BAD_MANIFEST' });
  });

  it.each([
    ['Docker schema 1', { schemaVersion: 1, fsLayers: [], history: [] }, /old format \(Docker schema 1\)/],
    ['no layers', { schemaVersion: 2, mediaType: OCI, config: image().config }, /lists no layers/],
    ['another type', image({ mediaType: 'text/html' }), /`text\/html`/],
    [
      'an artifact',
      image({ artifactType: 'application/vnd.cncf.helm.chart.v1' }),
      /an artifact of the type `application\/vnd.cncf.helm.chart.v1`/,
    ],
    [
      'a chart, by its configuration',
      image({
        config: { mediaType: 'application/vnd.cncf.helm.config.v1+json', digest: digest('a'), size: 2 },
      }),
      /artifact of the type `application\/vnd.cncf.helm.config/,
    ],
    [
      'a foreign layer',
      image({
        layers: [
          {
            mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
            digest: digest('l'),
            size: 1,
          },
        ],
      }),
      /foreign.diff.tar.gzip`, which is not distributed/,
    ],
    [
      'an unknown layer',
      image({
        layers: [
          {
            mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip+encrypted',
            digest: digest('l'),
            size: 1,
          },
        ],
      }),
      /\+encrypted`, which is unknown/,
    ],
    [
      'a digest of another kind',
      image({ layers: [{ mediaType: GZIP, digest: 'md5:00', size: 1 }] }),
      /`md5:00`, which is no SHA-256/,
    ],
    [
      'a path for a digest',
      image({ layers: [{ mediaType: GZIP, digest: 'sha256:../../../etc/passwd', size: 1 }] }),
      /which is no SHA-256/,
    ],
    [
      'a negative size',
      image({ layers: [{ mediaType: GZIP, digest: digest('l'), size: -1 }] }),
      /has the size `-1`/,
    ],
    [
      'a configuration of 100 MB',
      image({ config: { ...image().config, size: 1e8 } }),
      /configuration has 100000000 bytes/,
    ],
    ['501 layers', image({ layers: Array.from({ length: 501 }, () => image().layers[0]) }), /501 layers/],
    // CVE-2021-41190: one document that is an image to one program and an index to another.
    [
      'CVE-2021-41190: an image and an index at once',
      { ...image(), manifests: [] },
      /an index and an image at once/,
    ],
  ])('refuses %s', async (_, document, message) => {
    expect(await refusal(document)).toMatch(message);
  });

  it('refuses JSON nested a thousand deep', async () => {
    const { repository } = registry();
    const bytes = Buffer.from(`{"layers":${'['.repeat(1000)}${']'.repeat(1000)}}`);
    const file = { bytes, digest: digest(bytes), mediaType: OCI };
    await expect(findManifest(repository, file, amd64)).rejects.toMatchObject({
      message: expect.stringContaining('nested more than 64 deep'),
    });
  });

  it.each(['<html>', '', '[]', 'null', '"x"', '{'])('refuses %j', async (text) => {
    const { repository } = registry();
    const bytes = Buffer.from(text);
    const file = { bytes, digest: digest(bytes), mediaType: OCI };
    await expect(findManifest(repository, file, amd64)).rejects.toMatchObject({ code: 'BAD_MANIFEST' });
  });

  it("takes Docker's manifests", async () => {
    const { add, repository } = registry();
    const config = {
      mediaType: 'application/vnd.docker.container.image.v1+json',
      digest: digest('c'),
      size: 5,
    };
    const layers = [
      { mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip', digest: digest('l'), size: 1 },
    ];
    const file = add({ schemaVersion: 2, mediaType: DOCKER, config, layers });
    expect((await findManifest(repository, file, amd64)).mediaType).toBe(DOCKER);
  });
});

describe('readConfiguration', () => {
  const manifest = { layers: [{ digest: digest('l'), size: 1 }] } as never;
  const read = (value: object, strict = false) =>
    readConfiguration(Buffer.from(JSON.stringify(value)), manifest, amd64, 'app:1', strict);
  const rootfs = { type: 'layers', diff_ids: [digest('tar')] };

  it('gives the diff IDs', () => {
    expect(read({ os: 'linux', architecture: 'amd64', rootfs }).diffIds).toEqual([digest('tar')]);
  });

  it('wants one diff ID a layer', () => {
    const two = { ...rootfs, diff_ids: [digest('a'), digest('b')] };
    expect(() => read({ os: 'linux', architecture: 'amd64', rootfs: two })).toThrow(/describes 2 layers.*1/);
  });

  it('refuses another platform where one was asked for, and takes it where none was', () => {
    const config = { os: 'linux', architecture: 'arm64', rootfs };
    expect(() => read(config, true)).toThrow('`app:1` is not there for linux/amd64, but for linux/arm64');
    expect(read(config).platform.architecture).toBe('arm64');
  });
});
