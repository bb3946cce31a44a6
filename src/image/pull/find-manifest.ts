import { TsboxError } from '../../kernel/index.ts';
import { plainName } from '../archive-error.ts';
import {
  type ImageManifest,
  JSON_LIMIT,
  parseDiffIds,
  parseImageManifest,
  parseObject,
} from '../manifest.ts';
import type { BlobDescriptor, Manifest, Repository } from '../registry/index.ts';
import { isDigest } from '../store/index.ts';
import { checkLayerMediaType } from '../unpack-blob.ts';
import { chooseEntry, isIndex, noPlatform, parseIndex } from './image-index.ts';
import { formatPlatform, normalize, type Platform, runnable } from './platform.ts';

/** The manifest of one image, as it came and as it was read. */
export interface FoundManifest extends ImageManifest {
  file: Manifest;
}

/**
 * Gets the manifest of the image for a platform, through as many indexes as there are in between (four at most).
 *
 * @param first what the tag or digest stands for
 * @throws {TsboxError} BAD_MANIFEST, NO_PLATFORM, UNSUPPORTED_LAYER, and what the registry's requests throw
 */
export async function findManifest(
  repository: Repository,
  first: Manifest,
  platform: Platform,
): Promise<FoundManifest> {
  let file = first;
  for (let depth = 0; isImageIndex(file); depth++) {
    if (depth === INDEX_DEPTH) throw bad(`its index has indexes in it ${INDEX_DEPTH} deep`);
    const entry = chooseEntry(parseIndex(file.bytes), platform, repository.name);
    if (entry.size > JSON_LIMIT) throw bad(`its index lists a manifest of ${entry.size} bytes`);
    file = await repository.manifest(entry.digest);
    if (file.bytes.length !== entry.size)
      throw bad(
        `manifest ${entry.digest} has ${file.bytes.length} bytes, where the index says ${entry.size}`,
      );
  }
  const manifest = readManifest(file);
  for (const { mediaType } of manifest.layers) checkLayerMediaType(mediaType);
  if (manifest.layers.length > MOST_LAYERS) throw bad(`it has ${manifest.layers.length} layers`);
  if (manifest.config.size > JSON_LIMIT) throw bad(`its configuration has ${manifest.config.size} bytes`);
  return { ...manifest, file };
}

/**
 * The diff IDs of a configuration, one a layer.
 *
 * @param strict whether somebody asked for just this platform; else an image without an index is taken as it is, as Docker does
 */
export function readConfiguration(
  bytes: Buffer,
  manifest: FoundManifest,
  platform: Platform,
  name: string,
  strict: boolean,
): { diffIds: string[]; platform: Platform } {
  const { os, architecture, variant } = parseObject(bytes, 'configuration');
  const text = (value: unknown) => (typeof value === 'string' ? value.slice(0, 40) : '');
  const own = normalize({
    os: text(os) || 'linux',
    architecture: text(architecture),
    variant: text(variant),
  });
  if (strict && !runnable(platform).some((each) => formatPlatform(each) === formatPlatform(own)))
    throw noPlatform(name, platform, [plainName(formatPlatform(own))]);
  return { diffIds: parseDiffIds(bytes, manifest.layers.length), platform: own };
}

/** Reads a small blob whole. */
export async function readSmallBlob(repository: Repository, descriptor: BlobDescriptor): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of repository.blob(descriptor)) parts.push(chunk);
  return Buffer.concat(parts);
}

function isImageIndex({ mediaType, bytes }: Manifest): boolean {
  checkDepth(bytes);
  return isIndex(mediaType, bytes);
}

function readManifest({ mediaType, bytes }: Manifest): ImageManifest {
  const value = parseObject(bytes, 'manifest');
  if (value.schemaVersion === 1 || /\.v1\+(json|prettyjws)$/.test(mediaType)) {
    if (value.schemaVersion === 1 || 'fsLayers' in value)
      throw bad(
        'it is in the old format (Docker schema 1)',
        'push it again with a newer program, or copy it with skopeo copy --format oci',
      );
  }
  const config = (value.config ?? {}) as { mediaType?: unknown };
  const artifact = value.artifactType ?? config.mediaType;
  if (typeof artifact === 'string' && !IMAGE_CONFIG.has(artifact))
    throw bad(`it is no container image but an artifact of the type \`${shown(artifact)}\``);
  const manifest = parseImageManifest(bytes);
  if (!isDigest(manifest.config.digest)) throw bad('its manifest has no configuration');
  return manifest;
}

/** JSON.parse itself takes any depth; whoever walks the value afterwards, or prints it, does not. */
function checkDepth(bytes: Buffer): void {
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (quoted) {
      if (byte === 0x5c) at++;
      else if (byte === 0x22) quoted = false;
    } else if (byte === 0x22) quoted = true;
    else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > JSON_DEPTH) throw bad(`its manifest is nested more than ${JSON_DEPTH} deep`);
    } else if (byte === 0x7d || byte === 0x5d) depth--;
  }
}

/** As deep as anybody nests indexes, and further. */
const INDEX_DEPTH = 4;
/** A manifest has four; annotations of builders a few more. */
const JSON_DEPTH = 64;
/** What an overlay takes (OVL_MAX_STACK of the kernel's fs/overlayfs/params.h). */
const MOST_LAYERS = 500;
const IMAGE_CONFIG = new Set([
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
  // Some builders' word for it.
  'application/octet-stream',
  'application/json',
  '',
]);

function shown(text: string): string {
  return plainName(Buffer.from(text.slice(0, 100)).toString('latin1'));
}

function bad(message: string, advice?: string): TsboxError {
  return new TsboxError('BAD_MANIFEST', message, advice === undefined ? {} : { advice });
}
