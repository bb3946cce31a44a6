import { createHash } from 'node:crypto';
import type { Compression } from './source/index.ts';
import type { ImageConfig } from './stored-image.ts';
import type { Unpacked } from './unpack.ts';

export interface Described {
  /** The two JSON blobs: configuration and manifest. */
  files: { digest: string; text: string }[];
  manifest: { mediaType: string; digest: string; size: number };
}

/** Writes the configuration and the manifest of an image of one layer (OCI image-spec 1.1, config.md and manifest.md). */
export function describeImage(
  image: Unpacked & { config: ImageConfig; source: string; message: string | undefined },
): Described {
  const created = new Date().toISOString();
  const config = blob({
    created,
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: image.config,
    rootfs: { type: 'layers', diff_ids: [image.diffId] },
    history: [
      {
        created,
        created_by: `tsbox import ${image.source}`,
        ...(image.message ? { comment: image.message } : {}),
      },
    ],
  });
  const manifest = blob({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: config.digest,
      size: config.size,
    },
    layers: [{ mediaType: MEDIA_TYPES[image.compression], digest: image.digest, size: image.size }],
  });
  return {
    files: [config, manifest],
    manifest: { mediaType: MANIFEST, digest: manifest.digest, size: manifest.size },
  };
}

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

/** OCI image-spec, layer.md. What came in xz is kept uncompressed. */
const MEDIA_TYPES: Record<Compression, string> = {
  none: 'application/vnd.oci.image.layer.v1.tar',
  gzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  zstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  xz: 'application/vnd.oci.image.layer.v1.tar',
};

function blob(value: object): { digest: string; text: string; size: number } {
  const text = JSON.stringify(value);
  return {
    text,
    digest: `sha256:${createHash('sha256').update(text).digest('hex')}`,
    size: Buffer.byteLength(text),
  };
}
