import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { TsboxError } from '../kernel/index.ts';
import { makeAttributes } from './attributes/index.ts';
import { explainError } from './explain-error.ts';
import { flush, writeBlob } from './flush.ts';
import { OCI_CONFIG, OCI_MANIFEST } from './manifest.ts';
import { findStored } from './store/find.ts';
import {
  makeTemporary,
  publishImage,
  readConfig,
  storePaths,
  sweepImages,
  type Temporary,
} from './store/index.ts';
import { type ConfigFile, readParts } from './store/read-image.ts';
import type { ImageConfig, StoredImage } from './stored-image.ts';
import { unpack } from './unpack.ts';

export interface Commit {
  /** The id of the image below. */
  base: string;
  /** A layer's tar, in gzip. */
  layer: Readable;
  name: string | undefined;
  configure: (config: ImageConfig) => ImageConfig;
  createdBy: string;
  author: string | undefined;
  message: string | undefined;
}

/**
 * Makes an image of another one and a layer over it.
 *
 * @throws {TsboxError} IMAGE_NOT_FOUND, STORE_CORRUPT, STORE_CHANGED, DISK_FULL
 */
export async function commitLayer(commit: Commit): Promise<StoredImage> {
  sweepImages();
  const { image, descriptor } = findStored(commit.base);
  const below = readParts(descriptor);
  if (below === undefined)
    throw new TsboxError('IMAGE_NOT_FOUND', `image ${commit.base.slice(7, 19)} is not whole`);
  const paths = storePaths();
  const blobs = makeTemporary(paths.images);
  let layer: Temporary | undefined;
  let attributes: Temporary | undefined;
  try {
    layer = makeTemporary(paths.layers);
    const made = await unpack(commit.layer, blobs.path, layer.path, {});
    const diffIds = [...below.parts.diffIds, made.diffId];
    const layers = new Map([[made.diffId, layer]]);
    const config = blob(configuration(commit, below.config, diffIds));
    const manifest = blob({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: { mediaType: OCI_CONFIG, digest: config.digest, size: config.size },
      layers: [
        ...(below.manifest.layers ?? []).map((each) => ({ ...each, mediaType: ociType(each?.mediaType) })),
        { mediaType: `${OCI_LAYER}+gzip`, digest: made.digest, size: made.size },
      ],
    });
    for (const { digest, text } of [config, manifest]) writeBlob(join(blobs.path, digest.slice(7)), text);
    attributes = makeAttributes(diffIds, layers);
    await flush(layer.path);
    return publishImage({
      blobs,
      layers,
      manifest: { mediaType: OCI_MANIFEST, digest: manifest.digest, size: manifest.size },
      name: commit.name,
      size: image.size + made.bytes,
      needs: { blobs: below.parts.layers, layers: below.parts.diffIds },
      ...(attributes && { attributes: new Map([[config.digest, attributes]]) }),
    });
  } catch (error) {
    throw explainError(error, 'commit', commit.name ?? 'the container');
  } finally {
    attributes?.release();
    layer?.release();
    blobs.release();
  }
}

/** OCI image-spec, config.md. */
function configuration(commit: Commit, below: ConfigFile, diffIds: string[]): object {
  const created = new Date().toISOString();
  const { architecture, os, variant } = below;
  const step = {
    created,
    created_by: commit.createdBy,
    ...(commit.author && { author: commit.author }),
    ...(commit.message && { comment: commit.message }),
  };
  return {
    created,
    ...(commit.author && { author: commit.author }),
    architecture,
    os,
    ...(variant !== undefined && { variant }),
    config: commit.configure(readConfig(below.config, commit.base)),
    rootfs: { type: 'layers', diff_ids: diffIds },
    history: [...(Array.isArray(below.history) ? below.history : []), step],
  };
}

const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar';

/** A manifest must be all of one kind; Docker's layers are the same bytes under another name. */
function ociType(type: unknown): unknown {
  return type === 'application/vnd.docker.image.rootfs.diff.tar.gzip'
    ? `${OCI_LAYER}+gzip`
    : type === 'application/vnd.docker.image.rootfs.diff.tar'
      ? OCI_LAYER
      : type;
}

function blob(value: object): { digest: string; text: string; size: number } {
  const text = JSON.stringify(value);
  const digest = `sha256:${createHash('sha256').update(text).digest('hex')}`;
  return { text, digest, size: Buffer.byteLength(text) };
}
