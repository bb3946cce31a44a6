import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, it } from 'vitest';
import { json, type Layout, sha256, writeLayout } from '../../fixtures/oci-layout.ts';
import { archive, entry, file, type Made, symlink } from '../../fixtures/tar.ts';
import { isRoot, needsRoot } from './support/store.ts';
import { architecture, good, image, layer, list, useVictim } from './support/victim.ts';

describe.skipIf(!isRoot)(`archives of layouts, and of sizes, that mean harm${needsRoot}`, () => {
  const { store, refuse } = useVictim();

  describe('OCI image layouts', () => {
    const layoutOf = () =>
      writeLayout(join(store.root, 'layout'), { layers: [{ tar: layer }], name: 'evil:1' });
    const pack = (layout: Layout, change: (name: string, bytes: Buffer) => Buffer | undefined) => {
      const names = [
        'index.json',
        ...readdirSync(join(layout.path, 'blobs/sha256')).map((name) => `blobs/sha256/${name}`),
      ];
      return archive(
        ...names.flatMap((name) => {
          const bytes = change(name, readFileSync(join(layout.path, name)));
          return bytes === undefined ? [] : [file(name, bytes)];
        }),
      );
    };
    const part = (layout: Layout, what: string) =>
      ({ manifest: layout.descriptor, configuration: layout.config, layer: layout.layers[0] })[
        what
      ]?.digest.slice(7) as string;

    it.each(['manifest', 'configuration', 'layer'])('a %s that is not there', async (what) => {
      const layout = layoutOf();
      const gone = part(layout, what);
      await refuse(
        pack(layout, (name, bytes) => (name.endsWith(gone) ? undefined : bytes)),
        new RegExp(`its ${what} \`blobs/sha256/${gone}\` is not in it`),
      );
    });

    it.each(['manifest', 'configuration', 'layer'])('a %s with another digest', async (what) => {
      const layout = layoutOf();
      const changed = part(layout, what);
      const swap = (name: string, bytes: Buffer) =>
        name.endsWith(changed) ? Buffer.concat([bytes, Buffer.from(' ')]) : bytes;
      await refuse(
        pack(layout, swap),
        new RegExp(`its ${what} \`blobs/sha256/${changed}\` has the digest sha256:`),
      );
    });

    const index = (change: (descriptor: Record<string, unknown>) => unknown) => async (message: string) => {
      const layout = layoutOf();
      const text = (name: string, bytes: Buffer) =>
        name === 'index.json' ? json({ manifests: [change({ ...layout.descriptor })] }) : bytes;
      await refuse(pack(layout, text), message);
    };
    it('a digest that climbs', () =>
      index((line) => ({ ...line, digest: 'sha256:../../../../canary/file' }))('which is no SHA-256'));
    it('a digest of another kind', () =>
      index((line) => ({ ...line, digest: `md5:${'a'.repeat(32)}` }))('which is no SHA-256'));
    it('a wrong size', () => index((line) => ({ ...line, size: 1 }))('bytes, where 1 are expected'));
    it('a size below zero', () => index((line) => ({ ...line, size: -1 }))('has the size `-1`'));
    it('a type that is unknown', () =>
      index((line) => ({ ...line, mediaType: 'text/html' }))('unknown type `text/html`'));
    it('a line that is null', () => index(() => null)('has the digest'));
    it('a name that is none', () =>
      index((line) => ({ ...line, annotations: { 'io.containerd.image.name': '../x' } }))(
        'it calls an image `../x`',
      ));
    it('an index in itself', () =>
      index((line) => ({ ...line, mediaType: 'application/vnd.oci.image.index.v1+json' }))(
        'lists no manifests',
      ));

    it('a manifest that is an index as well (CVE-2021-41190)', async () => {
      const layout = layoutOf();
      const both = json({ ...JSON.parse(layout.manifest.toString()), manifests: [layout.descriptor] });
      const made = readdirSync(join(layout.path, 'blobs/sha256')).map((name) =>
        file(`blobs/sha256/${name}`, readFileSync(join(layout.path, 'blobs/sha256', name))),
      );
      const line = { ...layout.descriptor, digest: sha256(both), size: both.length };
      const index = file('index.json', json({ manifests: [line] }));
      await refuse(
        archive(...made, index, file(`blobs/sha256/${sha256(both).slice(7)}`, both)),
        'an index and an image at once',
      );
    });

    it('indexes a thousand deep', async () => {
      const mediaType = 'application/vnd.oci.image.index.v1+json';
      const made: Made[] = [];
      let line: object = { mediaType, digest: sha256('x'), size: 1 };
      for (let depth = 0; depth < 1000; depth++) {
        const bytes = json({ manifests: [line] });
        line = { mediaType, digest: sha256(bytes), size: bytes.length };
        made.push(file(`blobs/sha256/${sha256(bytes).slice(7)}`, bytes));
      }
      await refuse(archive(...made, file('index.json', json({ manifests: [line] }))), 'nested too deeply');
    });

    it('no image for this machine', async () => {
      const layout = layoutOf();
      const nested = json({
        manifests: [{ ...layout.descriptor, platform: { os: 'plan9', architecture: 'mips' } }],
      });
      const line = {
        mediaType: 'application/vnd.oci.image.index.v1+json',
        digest: sha256(nested),
        size: nested.length,
      };
      const made = [
        file('index.json', json({ manifests: [line] })),
        file(`blobs/sha256/${sha256(nested).slice(7)}`, nested),
      ];
      await refuse(archive(...made), `it has no image for linux/${architecture}`);
    });
  });

  describe('sizes', () => {
    /** Made while it is read: it never is in memory. */
    const endless = (head: Buffer[], piece: Buffer, count: number) =>
      Readable.from(
        (function* () {
          yield* head;
          for (let index = 0; index < count; index++) yield piece;
        })(),
      );

    it('a manifest.json of 100 MB', async () => {
      const size = 100 * 2 ** 20;
      const head = entry({ name: 'manifest.json', size });
      const body = endless([head], Buffer.alloc(2 ** 20, ' '), 100);
      const source = Readable.from(
        (async function* () {
          yield* body;
          yield Buffer.alloc(1024);
        })(),
      );
      await refuse(source, '`manifest.json` has 104857600 bytes, over the limit of 4194304');
    });

    it('a million members', async () => {
      const many = Buffer.concat(
        Array.from({ length: 1000 }, (_, index) => entry(symlink(`l${index}`, 'x'))),
      );
      // Names repeat, which is allowed for what is the same: it is their number that counts.
      await refuse(endless([], many, 1000), 'too many files');
    });

    it('a member of a terabyte of holes', async () => {
      const pax: [string, string][] = [
        ['GNU.sparse.major', '1'],
        ['GNU.sparse.minor', '0'],
        ['GNU.sparse.name', 'l.tar'],
        ['GNU.sparse.realsize', String(2 ** 39)],
      ];
      const map = Buffer.alloc(512);
      map.write('0\n');
      await refuse(archive(list(image()), file('x', map, { pax })), '`l.tar` is a sparse file');
    });

    it('one that ends in the middle, wherever it does', async () => {
      const whole = archive(...good);
      for (const length of [0, 1, 511, 512, 600, 1024, 1536, 2000, whole.length - 1024, whole.length - 1000])
        await refuse(whole.subarray(0, length), /it is empty|it is not a tar|truncated|neither/);
    });
  });
});
