import { closeSync, existsSync, linkSync, mkdirSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { TsboxError } from '../../kernel/index.ts';
import { ARCHIVE_LIMITS } from '../limits.ts';
import type { BlobDescriptor, Repository } from '../registry/index.ts';
import { blobPath, layerPath, makeTemporary, storePaths, type Temporary } from '../store/index.ts';
import type { Unpackers, Unpacking } from '../unpack/index.ts';
import { verifyBlob } from '../unpack-blob.ts';
import { readLayerSize, writeLayerSize } from './layer-size.ts';
import type { LayerState } from './progress.ts';
import type { Slots } from './slots.ts';

export interface LayerToFetch {
  descriptor: BlobDescriptor;
  diffId: string;
}

export interface FetchContext {
  repository: Repository;
  /** Where blobs are collected, each under the hex of its digest. */
  work: string;
  unpackers: Unpackers;
  downloads: Slots;
  signal: AbortSignal;
  /** Whether there are layers enough to keep all processors busy. */
  crowded: boolean;
  /** Whether the store knows that this blob holds this layer. */
  isKnown(layer: LayerToFetch): boolean;
  report(state: LayerState, received: number, unpacked: number): void;
}

/** A layer that is ready to be published, or in the store already. */
export interface FetchedLayer {
  diffId: string;
  /** Where it was unpacked; undefined where the store has it. */
  unpacked: Temporary | undefined;
  /** Bytes of its files. */
  bytes: number;
}

/**
 * Gets a layer's blob and its files, whichever of them the store has not. What comes from the network is unpacked while it comes,
 * into a directory that nobody sees until the digests of both the blob and the tar in it are known to be right.
 *
 * @throws {TsboxError} BAD_BLOB, BAD_ARCHIVE, UNSAFE_ARCHIVE, and what the registry's requests throw. Nothing is left then.
 */
export async function fetchLayer(layer: LayerToFetch, context: FetchContext): Promise<FetchedLayer> {
  const { descriptor, diffId } = layer;
  if (!existsSync(layerPath(diffId)))
    return await unpackLayer(layer, localBlob(descriptor, context.work), context);
  return await fetchBlob(layer, context);
}

/** Gets only the blob of a layer that is unpacked, or is being unpacked from another blob. */
export async function fetchBlob(layer: LayerToFetch, context: FetchContext): Promise<FetchedLayer> {
  const { descriptor, diffId } = layer;
  const there = localBlob(descriptor, context.work);
  if (there === undefined) await download(descriptor, context, undefined);
  // Whoever names a layer of another image must have it: its blob is what others will be given.
  const known = there !== undefined && context.isKnown(layer);
  let bytes = known ? readLayerSize(diffId) : undefined;
  if (bytes === undefined) {
    const path = there ?? join(context.work, hex(descriptor));
    ({ bytes } = await verifyBlob({ path, digest: descriptor.digest, diffId }, { signal: context.signal }));
  }
  context.report('exists', descriptor.size, descriptor.size);
  return { diffId, unpacked: undefined, bytes };
}

async function unpackLayer(
  { descriptor, diffId }: LayerToFetch,
  there: string | undefined,
  context: FetchContext,
): Promise<FetchedLayer> {
  const unpacked = makeTemporary(storePaths().layers);
  const directory = join(unpacked.path, 'diff');
  const { size } = descriptor;
  let received = there === undefined ? 0 : size;
  try {
    mkdirSync(directory, 0o755);
    const blob = there ?? partPath(descriptor, context);
    const job = {
      blob,
      directory,
      limits: ARCHIVE_LIMITS,
      hashBlob: there !== undefined,
      crowded: context.crowded,
    };
    const unpacking = context.unpackers.start(job, (read) =>
      context.report(received < size ? 'downloading' : 'unpacking', received, read),
    );
    try {
      if (there === undefined) {
        await download(descriptor, context, unpacking, (count) => {
          received = count;
        });
      } else unpacking.grow(statSync(there).size, true);
      context.report('unpacking', size, 0);
      const made = await unpacking.layer;
      if (made.digest !== undefined) compare('digest', descriptor.digest, made.digest);
      compare('diff ID', diffId, made.diffId);
      writeLayerSize(unpacked.path, made.bytes);
      context.report('done', size, size);
      return { diffId, unpacked, bytes: made.bytes };
    } catch (error) {
      unpacking.fail(error);
      // It may be in the middle of a file: nothing is removed under its hands.
      await unpacking.layer.catch(() => {});
      throw error;
    } finally {
      rmSync(partPath(descriptor, context), { force: true });
    }
  } catch (error) {
    unpacked.release();
    throw error;
  }
}

/** Gets the blob into its file, which has its name once it is known to be right. */
async function download(
  descriptor: BlobDescriptor,
  context: FetchContext,
  unpacking: Unpacking | undefined,
  onReceived: (received: number) => void = () => {},
): Promise<void> {
  const part = partPath(descriptor, context);
  context.report('waiting', 0, 0);
  await context.downloads.use(async () => {
    context.signal.throwIfAborted();
    rmSync(part, { force: true });
    const file = openSync(part, 'wx', 0o600);
    let failed = false;
    unpacking?.layer.catch(() => {
      failed = true;
    });
    try {
      let received = 0;
      for await (const chunk of context.repository.blob(descriptor)) {
        for (let at = 0; at < chunk.length; ) at += writeSync(file, chunk, at);
        received += chunk.length;
        onReceived(received);
        unpacking?.grow(received);
        context.report('downloading', received, 0);
        // Its error is told when the caller asks for the layer; there is no need for the rest.
        if (failed) return;
      }
    } finally {
      closeSync(file);
    }
    // Not moved: who unpacks it may not have opened it yet.
    linkSync(part, join(context.work, hex(descriptor)));
    unpacking?.grow(descriptor.size, true);
  });
  if (unpacking === undefined) rmSync(part, { force: true });
}

/** A blob that need not be fetched: the store's, or one that a pull got before it was killed. */
function localBlob(descriptor: BlobDescriptor, work: string): string | undefined {
  return [join(work, hex(descriptor)), blobPath(descriptor.digest)].find(
    (path) => statSync(path, { throwIfNoEntry: false })?.size === descriptor.size,
  );
}

function partPath(descriptor: BlobDescriptor, { work }: FetchContext): string {
  return join(work, `${hex(descriptor)}.part`);
}

function hex({ digest }: BlobDescriptor): string {
  return digest.slice('sha256:'.length);
}

function compare(what: string, expected: string, found: string): void {
  if (expected === found) return;
  throw new TsboxError('BAD_BLOB', `a layer has the ${what} ${found}, where ${expected} is expected`, {
    advice: 'the image is damaged or was tampered with',
  });
}
