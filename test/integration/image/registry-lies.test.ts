import { describe, it } from 'vitest';
import { json, readBlob, sha256 } from '../../fixtures/oci-layout.ts';
import { describeRoot } from '../support/tsbox.ts';
import { useFaultyPull } from './support/faulty-pull.ts';

describeRoot('tsbox pull from a registry that', () => {
  const at = useFaultyPull();
  const { fails } = at;

  describe('has a manifest', () => {
    const manifest =
      (bytes: Buffer | string, message: RegExp, type = at.layout.descriptor.mediaType) =>
      async () => {
        at.registry.tag(type, Buffer.from(bytes));
        await fails(message);
      };
    const changed = (change: object) => {
      const { mediaType, config, layers } = JSON.parse(at.layout.manifest.toString());
      return json({ schemaVersion: 2, mediaType, config, layers, ...change });
    };
    const INDEX = 'application/vnd.oci.image.index.v1+json';
    // The layout is there only when the tests run.
    const later = (make: () => [Buffer | string, RegExp, string?]) => async () => await manifest(...make())();

    it(
      'that is a web page',
      later(() => ['<!DOCTYPE html><title>Log in</title>', /manifest|web page/, 'text/html']),
    );
    it(
      'that is no JSON',
      later(() => ['{"schemaVersion":', /JSON/]),
    );
    it(
      'that is a number',
      later(() => ['2', /manifest/]),
    );
    it(
      'nested a thousand deep',
      later(() => [`${'['.repeat(1000)}${']'.repeat(1000)}`, /manifest|JSON/]),
    );
    it(
      'nested a million deep',
      later(() => [`${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`, /manifest|JSON/]),
    );
    it(
      'of 100 MB (CVE-2023-25153)',
      later(() => [Buffer.alloc(100 * 2 ** 20, ' '), /4 MiB|bytes|large/]),
    );
    it(
      'that is two things (CVE-2021-41190)',
      later(() => [changed({ manifests: [at.layout.descriptor] }), /both|index|manifests/]),
    );
    it(
      'with a digest that is a path (CVE-2024-3727)',
      later(() => [
        changed({ config: { ...at.layout.config, digest: 'sha256:../../../../etc/passwd' } }),
        /digest/,
      ]),
    );
    it(
      'with layers of an unknown kind',
      later(() => [
        changed({ layers: [{ ...at.layout.layers[0], mediaType: 'application/x-executable' }] }),
        /application\/x-executable/,
      ]),
    );
    it(
      'with a layer of negative size',
      later(() => [changed({ layers: [{ ...at.layout.layers[0], size: -1 }] }), /size/]),
    );
    it(
      'with a layer of impossible size',
      later(() => [changed({ layers: [{ ...at.layout.layers[0], size: 1e300 }] }), /size/]),
    );
    it(
      'with fewer layers than its configuration',
      later(() => [changed({ layers: at.layout.layers.slice(1) }), /layer/]),
    );
    it(
      'with its layers in another order',
      later(() => [changed({ layers: at.layout.layers.toReversed() }), /layer|diff/]),
    );
    it(
      'for another machine only',
      later(() => [
        json({
          schemaVersion: 2,
          mediaType: INDEX,
          manifests: [{ ...at.layout.descriptor, platform: { os: 'plan9', architecture: 'mips' } }],
        }),
        /platform|plan9|mips/,
        INDEX,
      ]),
    );
    it(
      'that is an index of itself',
      later(() => {
        const inner = json({ schemaVersion: 2, mediaType: INDEX, manifests: [{ ...at.layout.descriptor }] });
        let bytes = inner;
        for (let depth = 0; depth < 50; depth++) {
          const digest = sha256(bytes);
          at.registry.extra.set(digest, { mediaType: INDEX, bytes });
          bytes = json({
            schemaVersion: 2,
            mediaType: INDEX,
            manifests: [{ mediaType: INDEX, digest, size: bytes.length }],
          });
        }
        return [bytes, /index/, INDEX];
      }),
    );
    it(
      'whose configuration is no JSON',
      later(() => {
        const bytes = Buffer.from('{"rootfs":');
        at.registry.extra.set(sha256(bytes), { mediaType: 'application/octet-stream', bytes });
        return [
          changed({ config: { ...at.layout.config, digest: sha256(bytes), size: bytes.length } }),
          /configuration|config|JSON/,
        ];
      }),
    );
    it(
      'whose layer unpacks to something else',
      later(() => {
        const config = JSON.parse(readBlob(at.layout, at.layout.config.digest).toString());
        config.rootfs.diff_ids[0] = `sha256:${'0'.repeat(64)}`;
        const bytes = json(config);
        at.registry.extra.set(sha256(bytes), { mediaType: 'application/octet-stream', bytes });
        return [
          changed({ config: { ...at.layout.config, digest: sha256(bytes), size: bytes.length } }),
          /diff|layer|digest/,
        ];
      }),
    );
  });
});
