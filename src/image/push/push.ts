import { createReadStream, statSync } from 'node:fs';
import { TsboxError } from '../../kernel/index.ts';
import { parseReference, type Reference, tryReference } from '../reference.ts';
import {
  type BlobDescriptor,
  openRepository,
  type RegistryOptions,
  type Repository,
} from '../registry/index.ts';
import { blobPath, type Descriptor, findNamed, imageName, notFound, readIndex } from '../store/index.ts';
import { readStoredFiles, type StoredFiles } from '../stored-files.ts';
import { mountSources } from './mount-sources.ts';

/** What is being done about a layer. */
export type LayerState =
  | { state: 'preparing' | 'waiting' | 'exists' | 'pushed' }
  | { state: 'pushing'; sent: number }
  /** @param from the repository that it is mounted from: `library/alpine` */
  | { state: 'mounted'; from: string };

export interface PushOptions extends RegistryOptions {
  /** Layers that are sent at a time. Default 5, as for Docker. */
  parallel?: number;
  /** Called before the first request, with the repository as people write it. */
  onRepository?: (repository: string) => void;
  onLayer?: (layer: BlobDescriptor, state: LayerState) => void;
  /** Called when an image is in the registry. */
  onPushed?: (image: PushedImage) => void;
}

export interface PushedImage {
  /** `localhost:5000/alpine:latest` */
  name: string;
  tag: string;
  /** `sha256:…` of the manifest: the one that it has in the store. */
  digest: string;
  /** Bytes of the manifest. */
  size: number;
}

/**
 * Sends an image to the registry that its name says, under its tag.
 *
 * @throws {TsboxError} BAD_REFERENCE, IMAGE_NOT_FOUND, STORE_CORRUPT, REGISTRY_DENIED, REGISTRY_UNREACHABLE, REGISTRY_FAILED. The registry then has no
 * new manifest; blobs that it has got are found there the next time.
 */
export async function pushImage(name: string, options: PushOptions = {}): Promise<PushedImage> {
  const reference = parseReference(name);
  if (reference.digest !== undefined)
    throw new TsboxError('BAD_REFERENCE', `cannot push \`${name}\`: a digest is no name to push to`, {
      advice: 'push a tag; the digest stays the same',
    });
  const all = readIndex();
  const descriptor = findNamed(all, name);
  if (descriptor === undefined) throw notFound(name, all);
  options.onRepository?.(reference.repository);
  return await send(reference, descriptor, all, options);
}

/**
 * Sends all tags of a repository, one after the other.
 *
 * @param name without a tag
 * @throws {TsboxError} as `pushImage`
 */
export async function pushAllTags(name: string, options: PushOptions = {}): Promise<PushedImage[]> {
  const wanted = parseReference(name);
  if (wanted.digest !== undefined || wanted.name === name)
    throw new TsboxError('BAD_REFERENCE', `cannot push all tags of \`${name}\`: it names one`, {
      advice: `tsbox push --all-tags ${wanted.repository}`,
    });
  const all = readIndex();
  const tags = all.flatMap((descriptor) => {
    const reference = tryReference(imageName(descriptor));
    return reference?.repository === wanted.repository && reference.tag !== undefined
      ? [{ reference, descriptor }]
      : [];
  });
  if (tags.length === 0) throw notFound(wanted.repository, all);
  options.onRepository?.(wanted.repository);
  const pushed: PushedImage[] = [];
  for (const { reference, descriptor } of tags) pushed.push(await send(reference, descriptor, all, options));
  return pushed;
}

async function send(
  reference: Reference,
  descriptor: Descriptor,
  all: readonly Descriptor[],
  options: PushOptions,
): Promise<PushedImage> {
  const files = readStoredFiles(descriptor);
  checkBlobs(files);
  // The first failure ends what the others are sending.
  const failed = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, failed.signal]) : failed.signal;
  const repository = openRepository(reference, { ...options, signal });
  try {
    await sendBlobs(repository, reference, files, all, options, failed);
    const { manifest } = files;
    const tag = reference.tag as string;
    const digest = await repository.putManifest(tag, manifest.mediaType, manifest.bytes);
    if (digest !== manifest.digest)
      throw new TsboxError(
        'REGISTRY_FAILED',
        `${repository.name}: the registry calls the manifest ${digest}, not ${manifest.digest}`,
      );
    const pushed = { name: reference.name, tag, digest, size: manifest.bytes.length };
    options.onPushed?.(pushed);
    return pushed;
  } finally {
    repository.close();
  }
}

async function sendBlobs(
  repository: Repository,
  reference: Reference,
  { layers, config }: StoredFiles,
  all: readonly Descriptor[],
  options: PushOptions,
  failed: AbortController,
): Promise<void> {
  // A layer may be twice in an image.
  const unique = [...new Map(layers.map((layer) => [layer.digest, layer])).values()];
  const { onLayer = () => {}, parallel = PARALLEL } = options;
  for (const layer of unique) onLayer(layer, { state: 'preparing' });
  for (const layer of unique.slice(parallel)) onLayer(layer, { state: 'waiting' });
  const sources = mountSources(reference, all);
  const queue = [...unique];
  const work = async () => {
    for (let layer = queue.shift(); layer !== undefined; layer = queue.shift()) {
      const blob = layer;
      await sendBlob(repository, blob, sources(blob.digest), (state) => onLayer(blob, state));
    }
  };
  const workers = Array.from({ length: Math.max(1, Math.min(parallel, unique.length)) }, () =>
    work().catch((error: unknown) => {
      failed.abort(error);
      throw error;
    }),
  );
  const results = await Promise.allSettled(workers);
  // The one that failed first, not those that were ended for it.
  if (results.some(({ status }) => status === 'rejected')) throw failed.signal.reason;
  // It says which layers there are, so that a registry may want them first.
  await sendBlob(repository, config, sources(config.digest), () => {});
}

async function sendBlob(
  repository: Repository,
  blob: BlobDescriptor,
  sources: readonly string[],
  say: (state: LayerState) => void,
): Promise<void> {
  if (await repository.hasBlob(blob.digest)) return say({ state: 'exists' });
  for (const from of sources)
    if (await repository.mountBlob(blob.digest, from)) return say({ state: 'mounted', from });
  say({ state: 'pushing', sent: 0 });
  const path = blobPath(blob.digest);
  const open = (start: number): AsyncIterable<Buffer> =>
    createReadStream(path, { start, highWaterMark: CHUNK });
  await repository.uploadBlob(blob, open, (sent) => say({ state: 'pushing', sent }));
  say({ state: 'pushed' });
}

/** Before anything is sent: half an image in a registry is of no use. */
function checkBlobs({ config, layers }: StoredFiles): void {
  for (const { digest, size } of [config, ...layers]) {
    if (statSync(blobPath(digest), { throwIfNoEntry: false })?.size === size) continue;
    throw new TsboxError('STORE_CORRUPT', `blob ${digest} of the image store is damaged or not there`, {
      advice: 'remove the image with tsbox rmi, and get it again',
    });
  }
}

const PARALLEL = 5;
const CHUNK = 256 * 1024;
