import { linkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TsboxError } from '../../kernel/index.ts';
import { makeAttributes } from '../attributes/index.ts';
import { explainError } from '../explain-error.ts';
import { flush, flushAlong } from '../flush.ts';
import { DOCKER_MANIFEST, OCI_MANIFEST } from '../manifest.ts';
import { parseReference, type Reference } from '../reference.ts';
import { openRepository, type Repository } from '../registry/index.ts';
import {
  blobPath,
  type Descriptor,
  PULLED_DIGEST,
  publishImage,
  sweepImages,
  type Temporary,
} from '../store/index.ts';
import type { StoredImage } from '../stored-image.ts';
import { fetchLayers } from './fetch-layers.ts';
import { findManifest, readConfiguration, readSmallBlob } from './find-manifest.ts';
import type { PulledImage, PullOptions } from './options.ts';
import { formatPlatform, machinePlatform, type Platform, parsePlatform } from './platform.ts';
import { findPulled, PULLED_PLATFORM } from './pulled.ts';
import { takeWorkDirectory } from './work-directory.ts';

/** See `pullImage` of src/index.ts. */
export async function pullImage(name: string, options: PullOptions = {}): Promise<PulledImage> {
  const reference = parseReference(name);
  const platform = options.platform === undefined ? machinePlatform() : parsePlatform(options.platform);
  options.signal?.throwIfAborted();
  // One failure stops all that is under way for this image.
  const stop = new AbortController();
  const { signal } = stop;
  const follow = () => stop.abort(options.signal?.reason);
  options.signal?.addEventListener('abort', follow, { once: true });
  const repository = openRepository(reference, {
    signal,
    ...(options.tlsVerify !== undefined && { tlsVerify: options.tlsVerify }),
    ...(options.credentials && { credentials: options.credentials }),
    onRetry: (why, seconds) => options.onProgress?.({ kind: 'retry', why, seconds }),
  });
  let work: Temporary | undefined;
  try {
    const onWait = () => options.onProgress?.({ kind: 'waiting' });
    work = await takeWorkDirectory(reference.name, onWait, signal);
    sweepImages();
    const pull = new Pull(reference, platform, options, repository, work, stop);
    const pulled = await pull.run();
    options.onProgress?.({ kind: 'done', digest: pulled.pulledDigest, isNew: pulled.isNew });
    return pulled;
  } catch (error) {
    stop.abort(error);
    throw explainError(error, 'pull', reference.name);
  } finally {
    options.signal?.removeEventListener('abort', follow);
    work?.release();
    repository.close();
  }
}

/** One pull, by a process that is alone with this image. */
class Pull {
  readonly #reference: Reference;
  readonly #platform: Platform;
  readonly #options: PullOptions;
  readonly #repository: Repository;
  readonly #work: Temporary;
  readonly #stop: AbortController;

  constructor(
    reference: Reference,
    platform: Platform,
    options: PullOptions,
    repository: Repository,
    work: Temporary,
    stop: AbortController,
  ) {
    this.#reference = reference;
    this.#platform = platform;
    this.#options = options;
    this.#repository = repository;
    this.#work = work;
    this.#stop = stop;
  }

  async run(): Promise<PulledImage> {
    // A digest never changes its meaning: nobody need be asked what is here already.
    const digest = this.#reference.digest ?? (await this.#resolve());
    const there = findPulled(this.#reference, digest, formatPlatform(this.#platform));
    if (there !== undefined) return { ...there, pulledDigest: digest, isNew: false };
    for (let attempt = 1; ; attempt++) {
      try {
        return { ...(await this.#fetch(digest)), pulledDigest: digest, isNew: true };
      } catch (error) {
        // An image that shared a layer was removed while this one came: then the layer has to come after all.
        if ((error as TsboxError).code !== 'STORE_CHANGED' || attempt === 3) throw error;
      }
    }
  }

  async #resolve(): Promise<string> {
    const { tag = 'latest', name } = this.#reference;
    const found = await this.#repository.resolve(tag);
    if (found !== undefined) return found.digest;
    throw new TsboxError('MANIFEST_NOT_FOUND', `there is no image \`${name}\` in ${this.#repository.name}`, {
      advice: 'check the name and the tag; an image that is not public needs tsbox login',
    });
  }

  async #fetch(digest: string): Promise<StoredImage> {
    const repository = this.#repository;
    const first = await repository.manifest(digest);
    const manifest = await findManifest(repository, first, this.#platform);
    const config = await readSmallBlob(repository, manifest.config);
    const strict = this.#options.platform !== undefined;
    const { name } = this.#reference;
    const { diffIds } = readConfiguration(config, manifest, this.#platform, name, strict);
    const layers = manifest.layers.map((descriptor, index) => ({
      descriptor,
      diffId: diffIds[index] as string,
    }));
    const report = this.#options.onProgress ?? (() => {});
    report({ kind: 'found', digest, layers: manifest.layers });
    const context = { repository, work: this.#work.path, stop: this.#stop, report };
    const endFlushes = flushAlong(this.#work.path);
    const fetched = await fetchLayers(layers, context, this.#options.concurrency).finally(endFlushes);
    let attributes: Temporary | undefined;
    try {
      attributes = makeAttributes(diffIds, fetched.unpacked);
      this.#write(manifest.file.digest, manifest.file.bytes);
      this.#write(manifest.config.digest, config);
      await flush(this.#work.path);
      for (const { digest: blob } of manifest.layers) protect(blob, this.#work.path);
      return publishImage({
        blobs: this.#work,
        layers: fetched.unpacked,
        ...(attributes && { attributes: new Map([[manifest.config.digest, attributes]]) }),
        manifest: describe(manifest.file, manifest.mediaType),
        name,
        size: fetched.bytes,
        annotations: { [PULLED_DIGEST]: digest, [PULLED_PLATFORM]: formatPlatform(this.#platform) },
        needs: { blobs: manifest.layers.map((layer) => layer.digest), layers: diffIds },
      });
    } finally {
      attributes?.release();
      for (const layer of fetched.unpacked.values()) layer.release();
    }
  }

  #write(digest: string, bytes: Buffer): void {
    const path = join(this.#work.path, digest.slice('sha256:'.length));
    rmSync(path, { force: true });
    writeFileSync(path, bytes, { mode: 0o600 });
  }
}

/** The line of the index. A manifest of Docker's kind need not name its type; the registry does then. */
function describe(
  file: { digest: string; bytes: Buffer; mediaType: string },
  mediaType: string | undefined,
): Descriptor {
  const type = mediaType ?? file.mediaType.split(';')[0]?.trim();
  return {
    mediaType: type === DOCKER_MANIFEST ? type : OCI_MANIFEST,
    digest: file.digest,
    size: file.bytes.length,
  };
}

/** Keeps a blob that the store has, whoever removes it meanwhile. */
function protect(digest: string, work: string): void {
  try {
    linkSync(blobPath(digest), join(work, digest.slice('sha256:'.length)));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EEXIST' && code !== 'ENOENT') throw error;
  }
}
