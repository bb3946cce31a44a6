import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { type Lock, lockFile, TsboxError } from '../kernel/index.ts';
import { makeAttributes } from './attributes/index.ts';
import { explainError } from './explain-error.ts';
import { flush } from './flush.ts';
import { findImage, findStored, publishLayer, sweepImages, type Temporary } from './store/index.ts';
import { withStoreLock } from './store/lock.ts';
import { markUnpacked } from './store/mark-unpacked.ts';
import { attributesPath, blobPath, isDigest, layerPath } from './store/paths.ts';
import { readParts } from './store/read-image.ts';
import type { StoredImage } from './stored-image.ts';
import { checkLayerMediaType, unpackBlob, verifyBlob } from './unpack-blob.ts';

export interface UnpackImageOptions {
  /** Called when a layer is begun: which one, and of how many. */
  onLayer?: (layer: number, layers: number) => void;
  /** Called once if another process is unpacking the image, before waiting for it. */
  onWait?: () => void;
  signal?: AbortSignal;
}

/**
 * Makes an image that another program has copied into the layout ready to run: its layers are unpacked and everything is compared with
 * the digest that it goes by. Of several processes one does it, and the others wait.
 *
 * @throws {TsboxError} IMAGE_NOT_FOUND, STORE_CORRUPT, BLOB_MISSING, BAD_BLOB, BAD_ARCHIVE, UNSAFE_ARCHIVE, UNSUPPORTED_LAYER, DISK_FULL. Layers that
 * were right stay.
 */
export async function unpackImage(reference: string, options: UnpackImageOptions = {}): Promise<StoredImage> {
  sweepImages();
  const { image, descriptor } = findStored(reference);
  const name = image.name || image.id;
  const lock = await lockManifest(blobPath(descriptor.digest), options);
  try {
    const ready = tryFind(reference);
    if (ready !== undefined) return ready;
    checkJson(descriptor.digest, name);
    const layers = partsOf(descriptor, name);
    const size = await unpackLayers(layers, name, options);
    const attributes = makeAttributes(layers.map(({ diffId }) => diffId));
    if (attributes !== undefined) await publish(attributes, attributesPath(image.id));
    markUnpacked(descriptor.digest, size);
    return findImage(reference);
  } catch (error) {
    throw explainError(error, 'unpack', name);
  } finally {
    lock.release();
  }
}

/**
 * The lock is on the manifest itself, which nobody else locks. Not waited for by flock(2): it would block the thread, and with it
 * whoever else this process serves.
 */
async function lockManifest(path: string, { onWait, signal }: UnpackImageOptions): Promise<Lock> {
  // Not made where it is not there: an empty blob would be left.
  const fd = openSync(path, 'r');
  const release = (lock: Lock) => () => {
    lock.release();
    closeSync(fd);
  };
  for (let waited = false; ; waited = true) {
    const lock = lockFile(fd, 'exclusive', { wait: false });
    if (lock !== undefined) return { ...lock, release: release(lock), [Symbol.dispose]: release(lock) };
    if (!waited) onWait?.();
    try {
      signal?.throwIfAborted();
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function tryFind(reference: string): StoredImage | undefined {
  try {
    return findImage(reference);
  } catch (error) {
    if ((error as TsboxError).code === 'LAYER_MISSING') return undefined;
    throw error;
  }
}

interface Layer {
  diffId: string;
  digest: string;
  mediaType: string | undefined;
}

/** The layers, the lowest first; the files that list them are checked on the way. */
function partsOf(descriptor: Parameters<typeof readParts>[0], name: string): Layer[] {
  const found = readParts(descriptor);
  if (found === undefined) throw missing(descriptor.digest, name);
  const { parts, manifest, config } = found;
  checkJson(parts.manifest, name);
  checkJson(parts.config, name);
  if (typeof config.os === 'string' && config.os !== '' && config.os !== 'linux')
    throw new TsboxError(
      'NO_PLATFORM',
      `image \`${name}\` is for another system than Linux: ${config.os.slice(0, 20)}`,
    );
  if (parts.layers.length !== parts.diffIds.length) {
    throw new TsboxError(
      'BAD_MANIFEST',
      `its configuration describes ${parts.diffIds.length} layers, and its manifest ${parts.layers.length}`,
    );
  }
  return parts.layers.map((digest, index) => {
    const mediaType = manifest.layers?.[index]?.mediaType;
    return {
      digest,
      diffId: parts.diffIds[index] as string,
      mediaType: typeof mediaType === 'string' ? mediaType : undefined,
    };
  });
}

/** @returns the bytes of all files */
async function unpackLayers(
  layers: readonly Layer[],
  name: string,
  options: UnpackImageOptions,
): Promise<number> {
  for (const { digest, mediaType } of layers) {
    checkLayerMediaType(mediaType);
    if (!existsSync(blobPath(digest))) throw missing(digest, name);
  }
  let bytes = 0;
  for (const [index, { diffId, digest, mediaType }] of layers.entries()) {
    options.onLayer?.(index + 1, layers.length);
    const blob = { path: blobPath(digest), digest, diffId, ...(mediaType !== undefined && { mediaType }) };
    const settings = options.signal ? { signal: options.signal } : {};
    if (existsSync(layerPath(diffId))) {
      // Another image's: whoever claims to have it must have it.
      bytes += (await verifyBlob(blob, settings)).bytes;
      continue;
    }
    const unpacked = await unpackBlob(blob, settings);
    await publish(unpacked.layer, layerPath(diffId));
    bytes += unpacked.bytes;
  }
  return bytes;
}

async function publish(layer: Temporary, path: string): Promise<void> {
  try {
    await flush(layer.path);
    withStoreLock(() => publishLayer(layer, path));
  } finally {
    layer.release();
  }
}

/** Manifests and configurations say what everything else must be. */
function checkJson(digest: string, name: string): void {
  const found = `sha256:${createHash('sha256')
    .update(readFileSync(blobPath(digest)))
    .digest('hex')}`;
  if (isDigest(digest) && found === digest) return;
  throw new TsboxError('BAD_BLOB', `blob ${digest} has the digest ${found}`, {
    advice: `the image is damaged or was tampered with: tsbox rmi ${name}, and copy it again`,
  });
}

function missing(digest: string, name: string): TsboxError {
  return new TsboxError('BLOB_MISSING', `cannot unpack \`${name}\`: blob ${digest} is not in the store`, {
    advice: 'copy the image in again; if a copy is under way, wait for its end',
  });
}
