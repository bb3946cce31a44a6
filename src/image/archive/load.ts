import { existsSync, linkSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { TsboxError } from '../../kernel/index.ts';
import { badArchive } from '../archive-error.ts';
import { makeAttributes } from '../attributes/index.ts';
import { explainError } from '../explain-error.ts';
import { flush, writeBlob } from '../flush.ts';
import { ARCHIVE_LIMITS, type ArchiveLimits } from '../limits.ts';
import { parseDiffIds, parseObject } from '../manifest.ts';
import {
  layerPath,
  makeTemporary,
  publishImage,
  readConfig,
  storePaths,
  sweepImages,
  type Temporary,
  type Unpublished,
} from '../store/index.ts';
import { type LayerBlob, unpackBlob, verifyBlob } from '../unpack-blob.ts';
import { readDockerArchive } from './docker-archive.ts';
import type { FoundImage } from './found.ts';
import { manifestOf } from './manifest-of.ts';
import type { Members } from './members.ts';
import { readOciArchive } from './oci-archive.ts';
import { IMPORT, spoolArchive } from './spool.ts';

/** An image that was loaded, or one of its names. */
export interface LoadedImage {
  /** `alpine:latest`; undefined where the archive gives it none. */
  name: string | undefined;
  /** `sha256:…` of its configuration. */
  id: string;
  /** `sha256:…` of its manifest. */
  digest: string;
}

export interface LoadOptions {
  limits?: Partial<ArchiveLimits>;
  /** Called with the bytes read so far and, where it is known, their number in all. */
  onProgress?: (received: number, total: number | undefined) => void;
}

/**
 * Takes the images of an archive into the store: docker-archive (`docker save`, `podman save`) and oci-archive, plain or in gzip, zstd or xz.
 * All of them or none. Memory does not grow with the archive.
 *
 * @param source a path, an http or https URL, or a stream
 * @throws {TsboxError} SOURCE_UNREADABLE, BAD_ARCHIVE, UNSAFE_ARCHIVE, BAD_BLOB, BAD_MANIFEST, UNSUPPORTED_LAYER, DISK_FULL, STORE_UNWRITABLE.
 * The store is then as it was.
 */
export async function loadImages(
  source: string | Readable,
  options: LoadOptions = {},
): Promise<LoadedImage[]> {
  const limits = { ...ARCHIVE_LIMITS, ...options.limits };
  sweepImages();
  const { images: parent } = storePaths();
  const spool = makeTemporary(parent);
  const blobs = makeTemporary(parent);
  const layers = new Map<string, Temporary>();
  const attributes = new Map<string, Temporary>();
  try {
    const members = await spoolArchive(source, spool.path, limits, options.onProgress);
    const images = imagesOf(members).map(check);
    const bytes = await unpackLayers(images, layers, limits);
    for (const image of images) {
      keepBlobs(image, blobs.path);
      makeAttributesOf(image, layers, attributes);
    }
    await flush(blobs.path);
    return images.flatMap((image) => publish(image, { blobs, layers, attributes }, bytes));
  } catch (error) {
    throw explainError(error, 'load', typeof source === 'string' ? source : '-');
  } finally {
    for (const layer of [...attributes.values(), ...layers.values()]) layer.release();
    blobs.release();
    spool.release();
  }
}

/** Docker's archives since version 25 are of both kinds; their index has the manifests as they are in registries. */
function imagesOf(members: Members): FoundImage[] {
  const oci = members.has('index.json');
  if (!oci && !members.has('manifest.json')) {
    throw members.has('repositories')
      ? badArchive('it was made by a Docker older than 1.10', 'load it there, and save it again')
      : badArchive('it has neither a manifest.json nor an index.json: it is no archive of images', IMPORT);
  }
  const images = oci ? readOciArchive(members) : readDockerArchive(members);
  if (images.length === 0) throw badArchive('it has no image');
  const names = images.reduce((sum, image) => sum + Math.max(1, image.names.length), 0);
  // Each makes the store write its index anew.
  if (names > 1000) throw badArchive(`it has ${names} names of images, over the limit of 1000`);
  return images;
}

interface Checked extends FoundImage {
  diffIds: string[];
  /** The blobs of its layers, by digest. */
  blobs: Map<string, string>;
}

/** What the store will read again must be readable before it is in there. */
function check(image: FoundImage): Checked {
  const { bytes, descriptor } = image.config;
  const diffIds = parseDiffIds(bytes, image.layers.length);
  try {
    readConfig(parseObject(bytes, 'configuration').config, descriptor.digest);
  } catch (error) {
    if ((error as TsboxError).code !== 'STORE_CORRUPT') throw error;
    throw badArchive(`the configuration ${descriptor.digest} of its image has a field of a wrong type`);
  }
  return { ...image, diffIds, ...manifestOf(image) };
}

/**
 * Each layer once, two at a time: the work of one is decompressing (on a thread of the pool) and making files by turns.
 *
 * @returns bytes of files by diff ID
 */
async function unpackLayers(
  images: readonly Checked[],
  layers: Map<string, Temporary>,
  limits: ArchiveLimits,
): Promise<Map<string, number>> {
  const bytes = new Map<string, number>();
  const todo = new Map<string, LayerBlob>();
  for (const { layers: found, diffIds } of images) {
    found.forEach(({ member, descriptor }, index) => {
      const diffId = diffIds[index] as string;
      const { mediaType } = descriptor;
      // The same layer may be there in two compressions, and each has to be what it is said to be.
      todo.set(`${diffId} ${member.digest}`, { path: member.path, diffId, ...(mediaType && { mediaType }) });
    });
  }
  const queue = [...todo.values()];
  const started = new Set<string>();
  const work = async () => {
    for (let blob = queue.shift(); blob !== undefined; blob = queue.shift()) {
      const { diffId } = blob;
      if (started.has(diffId) || existsSync(layerPath(diffId))) {
        bytes.set(diffId, (await verifyBlob(blob, { limits })).bytes);
        continue;
      }
      started.add(diffId);
      const unpacked = await unpackBlob(blob, { limits });
      layers.set(diffId, unpacked.layer);
      bytes.set(diffId, unpacked.bytes);
    }
  };
  const results = await Promise.allSettled([work(), work()]);
  // Only when both have ended: what the other one was making has to be removed too.
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return bytes;
}

/** By links: layers are in the spool, or in the store already. */
function keepBlobs({ manifest, config, blobs }: Checked, directory: string): void {
  const place = (digest: string) => join(directory, digest.slice(7));
  const texts = [
    { digest: manifest.digest, bytes: manifest.bytes },
    { digest: config.descriptor.digest, bytes: config.bytes },
  ];
  for (const { digest, bytes } of texts) if (!existsSync(place(digest))) writeBlob(place(digest), bytes);
  for (const [digest, path] of blobs) if (!existsSync(place(digest))) linkSync(path, place(digest));
}

/** Two lines of an archive may be for one image. */
function makeAttributesOf(
  { config, diffIds }: Checked,
  layers: Map<string, Temporary>,
  attributes: Map<string, Temporary>,
): void {
  const id = config.descriptor.digest;
  const made = attributes.has(id) ? undefined : makeAttributes(diffIds, layers);
  if (made !== undefined) attributes.set(id, made);
}

function publish(
  { names, manifest, config, diffIds }: Checked,
  unpacked: Pick<Unpublished, 'blobs' | 'layers' | 'attributes'>,
  bytes: Map<string, number>,
): LoadedImage[] {
  const { mediaType, digest } = manifest;
  const size = diffIds.reduce((sum, diffId) => sum + (bytes.get(diffId) ?? 0), 0);
  const descriptor = { mediaType, digest, size: manifest.bytes.length };
  const each = names.length === 0 ? [undefined] : names;
  return each.map((name) => {
    publishImage({ ...unpacked, manifest: descriptor, name, size });
    return { name, id: config.descriptor.digest, digest };
  });
}
