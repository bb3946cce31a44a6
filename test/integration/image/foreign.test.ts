import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { findImage, listImages, sweepImages } from '../../../src/image/index.ts';
import { pruneImages } from '../../../src/image/store/prune.ts';
import { removeImage } from '../../../src/image/store/remove.ts';
import { unpackImage } from '../../../src/image/unpack-image.ts';
import { sha256 } from '../../fixtures/oci-layout.ts';
import { archive, file } from '../../fixtures/tar.ts';
import { MACHINE, named, OCI, RawStore } from './support/layout.ts';
import { filesOf, importBytes, isRoot, needsRoot, useStore } from './support/store.ts';

const one = archive(file('a', 'one'));
const two = archive(file('b', 'two!'));
const code = (expected: string) => expect.objectContaining({ code: expected });

describe.skipIf(!isRoot)(`images that another program has written${needsRoot}`, () => {
  const store = useStore();
  let raw: RawStore;
  beforeEach(() => {
    raw = new RawStore(store.root);
  });
  const content = (reference: string) =>
    findImage(reference).layers.flatMap((layer) =>
      readdirSync(layer).map((name) => [name, readFileSync(join(layer, name), 'utf8')]),
    );

  it('are listed, and unpacked once, before they are run', async () => {
    raw.index(named(raw.image([one, two]), 'web:1'));
    expect(listImages().map(({ name, size }) => [name, size])).toEqual([['web:1', one.length + two.length]]);
    expect(() => findImage('web:1')).toThrow(code('LAYER_MISSING'));
    const layers: number[][] = [];
    const image = await unpackImage('web:1', { onLayer: (...each) => layers.push(each) });
    expect(layers).toEqual([
      [1, 2],
      [2, 2],
    ]);
    expect(image.size).toBe(7);
    expect(findImage('web:1')).toEqual(image);
    expect(content('web:1')).toEqual([
      ['a', 'one'],
      ['b', 'two!'],
    ]);
    await unpackImage('web:1', { onLayer: () => expect.unreachable('it is unpacked') });
  });

  it('need not be unpacked again under a second name, nor when the name was rewritten without our annotation', async () => {
    const line = raw.image([one]);
    raw.index(named(line, 'web:1'));
    await unpackImage('web:1');
    raw.index(...raw.read().manifests, named(line, 'other'));
    expect(findImage('other').size).toBe(3);
    raw.index(named(line, 'other'));
    expect(() => findImage('other')).toThrow(code('LAYER_MISSING'));
    expect((await unpackImage('other')).size).toBe(3);
  });

  it('are found by any spelling of their names, and the later line has a name', async () => {
    const [first, second] = [raw.image([one]), raw.image([two])];
    raw.index(named(first, 'web:latest'), named(second, 'web'), second, named(first, 'Not A Reference'));
    expect(listImages().map(({ name, digest }) => [name, digest])).toEqual([
      ['web:latest', second.digest],
      ['Not A Reference', first.digest],
    ]);
    await unpackImage('docker.io/library/web');
    expect(content('web')).toEqual([['b', 'two!']]);
    expect(removeImage('Not A Reference').untagged).toEqual(['Not A Reference']);
    expect(
      raw.read().manifests.map(({ annotations }) => annotations?.['org.opencontainers.image.ref.name']),
    ).toEqual(['web']);
  });

  it('may be for several machines, in an index within an index, with attestations', async () => {
    const here = raw.image([one]);
    const arm = raw.image([two], {}, { architecture: 'riscv64' });
    const proof = raw.manifest({ config: raw.blob({ proof: true }), layers: [raw.blob(Buffer.from('{}'))] });
    const inner = raw.imageIndex([
      { ...arm, platform: { os: 'linux', architecture: 'riscv64' } },
      { ...here, platform: { os: 'windows', architecture: MACHINE } },
      { ...here, platform: { os: 'linux', architecture: MACHINE } },
      { ...proof, platform: { os: 'unknown', architecture: 'unknown' } },
    ]);
    raw.index(named(raw.imageIndex([inner]), 'multi'));
    await unpackImage('multi');
    expect(content('multi')).toEqual([['a', 'one']]);
    // What is there for the others stays as long as the image does, and goes with it.
    await importBytes(archive(file('c', '3')), 'c');
    const blob = (digest: string) => existsSync(join(raw.images, 'blobs/sha256', digest.slice(7)));
    expect([arm, proof, inner].map(({ digest }) => blob(digest))).toEqual([true, true, true]);
    removeImage('multi');
    expect([here, arm, proof, inner].map(({ digest }) => blob(digest))).toEqual([false, false, false, false]);
    expect(findImage('c').name).toBe('c:latest');
  });

  it('say which machines they are for', () => {
    const line = raw.image([one]);
    raw.index(
      named(raw.imageIndex([{ ...line, platform: { os: 'linux', architecture: 's390x' } }]), 'far'),
      named(line, 'near'),
    );
    expect(() => findImage('far')).toThrow(
      `image \`far:latest\` is for linux/s390x, and this machine is linux/${MACHINE}`,
    );
    expect(listImages().map(({ name }) => name)).toEqual(['near:latest']);
  });

  it('may have the types of Docker, schema 2', async () => {
    const docker = 'application/vnd.docker';
    const layer = { mediaType: `${docker}.image.rootfs.diff.tar`, ...raw.blob(one) };
    const config = raw.blob({
      architecture: MACHINE,
      os: 'linux',
      config: {},
      rootfs: { diff_ids: [sha256(one)] },
    });
    const type = `${docker}.distribution.manifest.v2+json`;
    raw.index(
      named(
        raw.manifest(
          { config: { mediaType: `${docker}.container.image.v1+json`, ...config }, layers: [layer] },
          type,
        ),
        'd',
      ),
    );
    await unpackImage('d');
    expect(content('d')).toEqual([['a', 'one']]);
  });

  it.each<[string, string, (raw: RawStore) => object]>([
    [
      'BAD_BLOB',
      'a layer with another digest',
      (raw) => {
        const line = raw.image([one]);
        raw.blob(two, sha256(one));
        return line;
      },
    ],
    [
      'BAD_BLOB',
      'a manifest with another digest',
      (raw) => {
        const line = raw.image([one]);
        const [config, layer] = [raw.blob({ rootfs: { diff_ids: [sha256(one)] } }), raw.blob(one)];
        raw.blob({ schemaVersion: 2, config, layers: [layer] }, line.digest);
        return line;
      },
    ],
    [
      'BAD_BLOB',
      'a configuration with another digest',
      (raw) => {
        const line = raw.image([one], { Cmd: ['a'] });
        const manifest = JSON.parse(
          readFileSync(join(raw.images, 'blobs/sha256', line.digest.slice(7)), 'utf8'),
        );
        raw.blob({ os: 'linux', rootfs: { diff_ids: [sha256(one)] } }, manifest.config.digest);
        return line;
      },
    ],
    [
      'BAD_BLOB',
      'a layer of another diff ID',
      (raw) => {
        const config = raw.blob({ rootfs: { diff_ids: [sha256(two)] } });
        return raw.manifest({ config, layers: [{ mediaType: `${OCI}.layer.v1.tar`, ...raw.blob(one) }] });
      },
    ],
    [
      'BAD_MANIFEST',
      'fewer layers than diff IDs',
      (raw) => {
        const config = raw.blob({ rootfs: { diff_ids: [sha256(one), sha256(two)] } });
        return raw.manifest({ config, layers: [{ mediaType: `${OCI}.layer.v1.tar`, ...raw.blob(one) }] });
      },
    ],
    [
      'BLOB_MISSING',
      'a layer that is not there',
      (raw) => {
        const line = raw.image([one]);
        rmSync(join(raw.images, 'blobs/sha256', sha256(one).slice(7)));
        return line;
      },
    ],
    [
      'UNSUPPORTED_LAYER',
      'an encrypted layer',
      (raw) => {
        const config = raw.blob({ rootfs: { diff_ids: [sha256(one)] } });
        return raw.manifest({
          config,
          layers: [{ mediaType: `${OCI}.layer.v1.tar+gzip+encrypted`, ...raw.blob(one) }],
        });
      },
    ],
    ['NO_PLATFORM', 'another system', (raw) => raw.image([one], {}, { os: 'windows' })],
  ])('are refused as %s with %s, and nothing of them is left', async (expected, _, make) => {
    raw.index(named(make(raw), 'evil'));
    await expect(unpackImage('evil')).rejects.toThrow(code(expected));
    expect(readdirSync(join(store.root, 'layers'))).toEqual([]);
    expect(() => findImage('evil')).toThrow();
    expect(removeImage('evil').untagged).toEqual(['evil:latest']);
  });

  it('cannot claim a layer of another image without having it', async () => {
    const secret = archive(file('secret', 'of the other image'));
    await importBytes(secret, 'secret');
    const config = raw.blob({ rootfs: { diff_ids: [sha256(secret)] } });
    const evil = raw.manifest({ config, layers: [{ mediaType: `${OCI}.layer.v1.tar`, ...raw.blob(one) }] });
    raw.index(...raw.read().manifests, named(evil, 'evil'));
    await expect(unpackImage('evil')).rejects.toThrow(code('BAD_BLOB'));
    expect(content('secret')).toEqual([['secret', 'of the other image']]);
  });

  it('are not swept while they are copied in: blobs first, the index last', async () => {
    await importBytes(two, 'mine');
    const before = raw.read().manifests;
    const line = raw.image([one]);
    const files = filesOf(store.root);
    sweepImages();
    await importBytes(archive(file('c', '3')), 'c');
    removeImage('c');
    pruneImages({ all: false });
    expect(filesOf(store.root)).toEqual(files);
    raw.index(...before, named(line, 'copied'));
    await unpackImage('copied');
    expect(content('copied')).toEqual([['a', 'one']]);
  });

  it('leave blobs when their names go to others, which prune removes after a day', async () => {
    await importBytes(two, 'mine');
    const stray = raw.blob(Buffer.from('stray'));
    const path = join(raw.images, 'blobs/sha256', stray.digest.slice(7));
    expect(pruneImages().reclaimed).toBe(0);
    expect(existsSync(path)).toBe(true);
    // A change of times cannot be forged for ctime: the clock that prune looks at is.
    const now = Date.now;
    Date.now = () => now() + 25 * 60 * 60 * 1000;
    try {
      expect(pruneImages().reclaimed).toBe(5);
    } finally {
      Date.now = now;
    }
    expect(existsSync(path)).toBe(false);
    expect(findImage('mine').name).toBe('mine:latest');
  });

  it('keeps the lines of an index that it does not understand', async () => {
    const foreign = [
      { mediaType: 'application/x', digest: `sha512:${'a'.repeat(128)}`, size: 3 },
      { digest: sha256('x'), size: 1 },
      'text',
    ];
    raw.index(named(raw.image([one]), 'web'), ...foreign);
    await unpackImage('web');
    await importBytes(two, 'mine');
    removeImage('mine');
    expect(raw.read().manifests.slice(1)).toEqual(foreign);
  });

  it('reads an index that is being written', async () => {
    raw.index(named(raw.image([one]), 'web'));
    const text = readFileSync(join(raw.images, 'index.json'));
    raw.raw(text.subarray(0, 50));
    const child = spawn('sh', ['-c', 'sleep 0.03; cat >"$0"', join(raw.images, 'index.json')], {
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    // The whole file waits in the pipe: this thread is busy reading meanwhile.
    child.stdin.end(text);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(listImages().map(({ name }) => name)).toEqual(['web:latest']);
  });
});
