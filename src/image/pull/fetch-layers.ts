import { TsboxError } from '../../kernel/index.ts';
import type { Repository } from '../registry/index.ts';
import { readIndex, type Temporary, UNPACKED_SIZE } from '../store/index.ts';
import { readParts } from '../store/read-image.ts';
import { Unpackers } from '../unpack/index.ts';
import { type FetchedLayer, fetchBlob, fetchLayer, type LayerToFetch } from './fetch-layer.ts';
import type { LayerState, PullEvent } from './progress.ts';
import { Slots } from './slots.ts';

/** All layers of an image. */
export interface FetchedLayers {
  /** By diff ID, those that are to be published. */
  unpacked: Map<string, Temporary>;
  /** Bytes of all files. */
  bytes: number;
}

/**
 * Gets all layers of an image at once, a layer that is in it twice only once. One that fails stops the others; when this returns, nothing is
 * under way any more.
 */
export async function fetchLayers(
  layers: readonly LayerToFetch[],
  context: { repository: Repository; work: string; stop: AbortController; report(event: PullEvent): void },
  concurrency = concurrencySetting(),
): Promise<FetchedLayers> {
  const unpackers = new Unpackers();
  const downloads = new Slots(checkConcurrency(concurrency));
  const isKnown = knownLayers();
  const distinct = [...new Map(layers.map((layer) => [layer.diffId, layer])).values()];
  // Two blobs for one layer (in gzip and in zstd) are both needed, the layer once.
  const blobs = [...new Map(layers.map((layer) => [layer.descriptor.digest, layer])).values()];
  const later = blobs.filter((layer) => !distinct.includes(layer));
  // One large layer among small ones still needs a second processor, for its decompression.
  const sizes = distinct.map(({ descriptor }) => descriptor.size);
  const crowded = Math.max(...sizes) * 2 < sizes.reduce((sum, size) => sum + size, 0);
  const { repository, work, stop } = context;
  const fetch = async (layer: LayerToFetch, get: typeof fetchLayer) => {
    const { digest } = layer.descriptor;
    const report = (state: LayerState, received: number, unpacked: number) =>
      context.report({ kind: 'layer', digest, state, received, unpacked });
    try {
      return await get(layer, {
        repository,
        work,
        signal: stop.signal,
        unpackers,
        downloads,
        isKnown,
        crowded,
        report,
      });
    } catch (error) {
      stop.abort(error);
      throw error;
    }
  };
  let first: FetchedLayer[] = [];
  try {
    // The largest first: what takes longest should not begin last.
    const order = distinct.toSorted((a, b) => b.descriptor.size - a.descriptor.size);
    first = await settled(order.map((layer) => fetch(layer, fetchLayer)));
    for (const each of later) await fetch(each, fetchBlob);
    const unpacked = new Map(
      first.flatMap((layer) => (layer.unpacked ? [[layer.diffId, layer.unpacked]] : [])),
    );
    return { unpacked, bytes: first.reduce((sum, { bytes }) => sum + bytes, 0) };
  } catch (error) {
    for (const { unpacked } of first) unpacked?.release();
    throw error;
  } finally {
    await unpackers.close();
  }
}

/** Waits for all, then throws the first error, having released what the others made. */
async function settled(work: readonly Promise<FetchedLayer>[]): Promise<FetchedLayer[]> {
  let failure: { error: unknown } | undefined;
  for (const each of work) {
    each.catch((error) => {
      failure ??= { error };
    });
  }
  const results = await Promise.allSettled(work);
  const done = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  if (failure === undefined) return done;
  for (const { unpacked } of done) unpacked?.release();
  throw (failure as { error: unknown }).error;
}

/** What images of the store say of blobs and layers that were compared. */
function knownLayers(): (layer: LayerToFetch) => boolean {
  const known = new Set<string>();
  for (const line of readIndex()) {
    if (line.annotations?.[UNPACKED_SIZE] === undefined) continue;
    try {
      const parts = readParts(line)?.parts;
      parts?.layers.forEach((digest, index) => {
        known.add(`${digest} ${parts.diffIds[index]}`);
      });
    } catch {
      // A damaged image vouches for nothing.
    }
  }
  return ({ descriptor, diffId }) => known.has(`${descriptor.digest} ${diffId}`);
}

function concurrencySetting(): number {
  const text = process.env.TSBOX_MAX_CONCURRENT_DOWNLOADS;
  return text ? Number(text) : 3;
}

function checkConcurrency(count: number): number {
  if (Number.isInteger(count) && count >= 1 && count <= 32) return count;
  throw new TsboxError('BAD_SETTING', 'the number of concurrent downloads is not one of 1 to 32', {
    advice: 'see --max-concurrent-downloads and TSBOX_MAX_CONCURRENT_DOWNLOADS',
  });
}
