import { existsSync } from 'node:fs';
import { TsboxError } from '../../kernel/index.ts';
import type { ImageConfig, StoredImage } from '../stored-image.ts';
import { corrupt, type Descriptor, REF_NAME, readJson, UNPACKED_SIZE } from './index-file.ts';
import { blobPath, isDigest, layerPath } from './paths.ts';

/** The digests that an image is made of. */
export interface ImageParts {
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
  const size = Number(descriptor.annotations?.[UNPACKED_SIZE] ?? 0);
  return {
    name: descriptor.annotations?.[REF_NAME] ?? '',
    id: parts.config,
    digest: descriptor.digest,
    created: typeof config.created === 'string' ? config.created : new Date(0).toISOString(),
    size: Number.isSafeInteger(size) && size >= 0 ? size : 0,
    config: readConfig(config.config, parts.config),
    layers: parts.diffIds.map(layerPath),
  };
}

/** What an image refers to, and its configuration file. */
export function readParts(descriptor: Descriptor): { parts: ImageParts; config: ConfigFile } | undefined {
  const manifest = readJson(blobPath(descriptor.digest)) as Manifest | undefined;
  const configDigest = manifest?.config?.digest;
  if (!isDigest(configDigest) || !Array.isArray(manifest?.layers)) return undefined;
  const config = readJson(blobPath(configDigest)) as ConfigFile | undefined;
  if (config === undefined) return undefined;
  const layers = manifest.layers.map((layer) => layer?.digest);
  const diffIds = config.rootfs?.diff_ids;
  if (!Array.isArray(diffIds) || !diffIds.every(isDigest) || !layers.every(isDigest))
    throw corrupt(blobPath(configDigest));
  return { parts: { config: configDigest, layers, diffIds }, config };
}

/**
 * Says so where a layer was never unpacked, which is so for an image that another program copied into the layout.
 *
 * @throws {TsboxError} LAYER_MISSING
 */
export function requireLayers(image: StoredImage): StoredImage {
  const missing = image.layers.find((layer) => !existsSync(layer));
  if (missing === undefined) return image;
  throw new TsboxError(
    'LAYER_MISSING',
    `image \`${image.name || image.id}\` is not unpacked: \`${missing}\` is not there`,
    {
      advice: `import it again: tsbox import FILE ${image.name || 'NAME'}`,
    },
  );
}

interface Manifest {
  config?: { digest?: unknown };
  layers?: ({ digest?: unknown } | null)[];
}

interface ConfigFile {
  created?: unknown;
  config?: unknown;
  rootfs?: { diff_ids?: unknown };
}

/** Only what has the type that the specification gives it: the file may come from anybody. */
export function readConfig(value: unknown, digest: string): ImageConfig {
  const given = (value ?? {}) as Record<string, unknown>;
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
};
