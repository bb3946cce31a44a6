import { TsboxError } from '../kernel/index.ts';
import { plainName } from './archive-error.ts';
import type { BlobDescriptor } from './registry/types.ts';
import { isDigest } from './store/paths.ts';

/** What the manifest of one image refers to. */
export interface ImageManifest {
  mediaType: string | undefined;
  config: BlobDescriptor;
  /** The lowest first. */
  layers: BlobDescriptor[];
}

export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
export const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
export const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';

/** Bytes of a manifest, an index or a configuration: the limit of Docker's registry and of containers/image. */
export const JSON_LIMIT = 4 * 2 ** 20;

/**
 * Reads an image manifest (OCI image-spec, manifest.md; Docker's image manifest v2 schema 2). Everything in it is checked that is used.
 *
 * @throws {TsboxError} BAD_MANIFEST
 */
export function parseImageManifest(bytes: Buffer): ImageManifest {
  const value = parseObject(bytes, 'manifest');
  if (value.schemaVersion !== undefined && value.schemaVersion !== 2)
    throw bad(
      `its manifest is of schema version ${show(value.schemaVersion)}`,
      'only version 2 is supported: push the image again with a newer program',
    );
  const { mediaType, config, layers, manifests } = value;
  // Who takes it for an index sees another image (CVE-2021-41190).
  if (manifests !== undefined && layers !== undefined)
    throw bad('its manifest is an index and an image at once, which nobody can tell apart');
  if (mediaType !== undefined && mediaType !== OCI_MANIFEST && mediaType !== DOCKER_MANIFEST)
    throw bad(`its manifest has the type ${show(mediaType)}`);
  if (!Array.isArray(layers)) throw bad('its manifest lists no layers');
  return {
    mediaType: mediaType as string | undefined,
    config: parseDescriptor(config, 'configuration'),
    layers: layers.map((layer) => parseDescriptor(layer, 'layer')),
  };
}

/**
 * Reads a descriptor (OCI image-spec, descriptor.md).
 *
 * @throws {TsboxError} BAD_MANIFEST
 */
export function parseDescriptor(value: unknown, what: string): BlobDescriptor {
  const { digest, size, mediaType } = (typeof value === 'object' && value ? value : {}) as Record<
    string,
    unknown
  >;
  if (!isDigest(digest)) throw bad(`its ${what} has the digest ${show(digest)}, which is no SHA-256`);
  if (!Number.isSafeInteger(size) || (size as number) < 0)
    throw bad(`its ${what} ${digest} has the size ${show(size)}`);
  if (mediaType !== undefined && typeof mediaType !== 'string')
    throw bad(`its ${what} ${digest} has the type ${show(mediaType)}`);
  return { digest, size: size as number, ...(mediaType !== undefined && { mediaType }) };
}

/**
 * The diff IDs of an image's configuration (OCI image-spec, config.md), one for each layer of its manifest.
 *
 * @throws {TsboxError} BAD_MANIFEST
 */
export function parseDiffIds(config: Buffer, layers: number): string[] {
  const { rootfs, os } = parseObject(config, 'configuration');
  if (typeof os === 'string' && os !== '' && os !== 'linux') throw bad(`it is an image for ${show(os)}`);
  const ids: unknown = (rootfs as { diff_ids?: unknown } | undefined)?.diff_ids;
  if (!Array.isArray(ids) || !ids.every(isDigest)) throw bad('its configuration has no list of diff IDs');
  if (ids.length !== layers)
    throw bad(`its configuration describes ${ids.length} layers, and its manifest ${layers}`);
  return ids;
}

/** A JSON object of somebody else's. */
export function parseObject(bytes: Buffer, what: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw bad(`its ${what} is not a JSON object`);
}

function bad(message: string, advice?: string): TsboxError {
  return new TsboxError('BAD_MANIFEST', message, advice === undefined ? {} : { advice });
}

/** A value of somebody else's, for a message. */
function show(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing');
  return `\`${plainName(Buffer.from(text.slice(0, 200)).toString('latin1'))}\``;
}
