import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { TsboxError } from '../../kernel/index.ts';
import { hasImplied } from '../layer/implied.ts';
import type { ImageConfig, StoredImage } from '../stored-image.ts';
import { corrupt, type Descriptor, imageName, readJson, UNPACKED_SIZE } from './index-file.ts';
import { attributesPath, blobPath, isDigest, layerPath } from './paths.ts';
import { type ManifestFile, resolveManifest } from './resolve.ts';

/** The digests that an image is made of. */
export interface ImageParts {
  /** For this machine; the line of the index may be another index. */
  manifest: string;
  config: string;
  /** Blobs of the layers. */
  layers: string[];
  /** Layers by the digest of their uncompressed tar, the lowest first. */
  diffIds: string[];
}

/** The image behind a line of the index. Undefined where its blobs are not (all) there, or it is no image for one machine. */
export function readImage(descriptor: Descriptor): StoredImage | undefined {
  const found = readParts(descriptor);
  if (found === undefined) return undefined;
  const { parts, config } = found;
  return {
    name: imageName(descriptor),
    id: parts.config,
    digest: descriptor.digest,
    created: isDate(config.created) ? config.created : new Date(0).toISOString(),
    size: unpackedSize(descriptor) ?? blobSizes(found.manifest),
    config: readConfig(config.config, parts.config),
    layers: layersOf(parts),
  };
}

/** With the attributes layer, if the image needs one: it is not there where the image was not put together yet, as any other layer. */
function layersOf({ config, diffIds }: ImageParts): string[] {
  const layers = diffIds.map(layerPath);
  if (!layers.slice(1).some(hasImplied)) return layers;
  const attributes = attributesPath(config);
  // A place without a directory in it: it was found that nothing is to be put right.
  return existsSync(dirname(attributes)) && !existsSync(attributes) ? layers : [...layers, attributes];
}

/** What an image refers to, and its files. */
export function readParts(
  descriptor: Descriptor,
): { parts: ImageParts; config: ConfigFile; manifest: ManifestFile } | undefined {
  const found = resolveManifest(descriptor);
  const configDigest = found?.manifest.config?.digest;
  if (found === undefined || !isDigest(configDigest) || !Array.isArray(found.manifest.layers))
    return undefined;
  const config = readJson(blobPath(configDigest)) as ConfigFile | undefined;
  if (config === undefined) return undefined;
  const layers = found.manifest.layers.map((layer) => layer?.digest);
  const diffIds = config.rootfs?.diff_ids;
  if (!Array.isArray(diffIds) || !diffIds.every(isDigest) || !layers.every(isDigest))
    throw corrupt(blobPath(configDigest));
  const parts = { manifest: found.descriptor.digest, config: configDigest, layers, diffIds };
  return { parts, config, manifest: found.manifest };
}

/**
 * Says so where the layers were never unpacked, which is so for an image that another program copied into the layout.
 *
 * @throws {TsboxError} LAYER_MISSING
 */
export function requireLayers(image: StoredImage, descriptor: Descriptor): StoredImage {
  if (unpackedSize(descriptor) !== undefined && image.layers.every((layer) => existsSync(layer)))
    return image;
  throw new TsboxError('LAYER_MISSING', `image \`${image.name || image.id}\` is not unpacked yet`, {
    advice: 'the first tsbox run of it does that',
  });
}

/** Of an image whose layers were all unpacked and found right. */
export function unpackedSize(descriptor: Descriptor): number | undefined {
  const size = Number(descriptor.annotations?.[UNPACKED_SIZE] ?? Number.NaN);
  return Number.isSafeInteger(size) && size >= 0 ? size : undefined;
}

function blobSizes({ layers = [] }: ManifestFile): number {
  const sizes = layers.map((layer) => Number(layer?.size));
  return sizes.reduce((sum, size) => sum + (Number.isSafeInteger(size) && size > 0 ? size : 0), 0);
}

function isDate(value: unknown): value is string {
  return typeof value === 'string' && value.length < 64 && !Number.isNaN(Date.parse(value));
}

/** A configuration as it is in the store: every field may be anything. */
export interface ConfigFile {
  created?: unknown;
  author?: unknown;
  architecture?: unknown;
  variant?: unknown;
  os?: unknown;
  config?: unknown;
  history?: unknown;
  rootfs?: { diff_ids?: unknown };
}

/** Only what has the type that the specification gives it: the file may come from anybody. */
export function readConfig(value: unknown, digest: string): ImageConfig {
  const given = (value ?? {}) as Record<string, unknown>;
  if (!isObject(given)) throw corrupt(blobPath(digest));
  const config: Record<string, unknown> = {};
  for (const [field, fits] of Object.entries(FIELDS)) {
    const member = given[field];
    if (member === undefined || member === null) continue;
    if (!fits(member)) throw corrupt(blobPath(digest));
    config[field] = member;
  }
  return config;
}

const isString = (value: unknown) => typeof value === 'string';
const isStrings = (value: unknown) => Array.isArray(value) && value.every(isString);
const isObject = (value: unknown) => typeof value === 'object' && !Array.isArray(value);
const FIELDS: Record<keyof ImageConfig, (value: unknown) => boolean> = {
  User: isString,
  ExposedPorts: isObject,
  Env: isStrings,
  Entrypoint: isStrings,
  Cmd: isStrings,
  Volumes: isObject,
  WorkingDir: isString,
  Labels: (value) => isObject(value) && Object.values(value as object).every(isString),
  StopSignal: isString,
  Healthcheck: isObject,
  OnBuild: isStrings,
  Shell: isStrings,
  ArgsEscaped: (value) => typeof value === 'boolean',
};
