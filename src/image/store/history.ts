import { existsSync } from 'node:fs';
import { findStored } from './find.ts';
import { type ConfigFile, readParts } from './read-image.ts';
import { bytesOnDisk } from './usage.ts';

/** One step of how an image was made (OCI image-spec, config.md, "history"). */
export interface HistoryEntry {
  /** ISO 8601; undefined where it is not known. */
  created: string | undefined;
  createdBy: string;
  comment: string;
  /** Whether it made no layer. */
  empty: boolean;
}

/** The same, with the bytes of the layer that it made; of the blob, while that is not unpacked. */
export type ImageHistory = HistoryEntry & { size: number };

/**
 * How an image was made, as its configuration tells it, the newest step first.
 *
 * @throws {TsboxError} IMAGE_NOT_FOUND, AMBIGUOUS_ID, STORE_CORRUPT, NO_PLATFORM
 */
export function imageHistory(reference: string): { id: string; entries: ImageHistory[] } {
  const { image, descriptor } = findStored(reference);
  const found = readParts(descriptor);
  const blobs = found?.manifest.layers ?? [];
  let next = 0;
  const entries = (found === undefined ? [] : historyOf(found.config)).map((entry) => {
    if (entry.empty) return { ...entry, size: 0 };
    const [layer, blob] = [image.layers[next], Number(blobs[next]?.size)];
    next++;
    const size = layer !== undefined && existsSync(layer) ? bytesOnDisk(layer) : blob;
    return { ...entry, size: Number.isSafeInteger(size) && size > 0 ? size : 0 };
  });
  return { id: image.id, entries: entries.reverse() };
}

/** The oldest first. What has the wrong type is left out: it is for people only. */
export function historyOf({ history }: ConfigFile): HistoryEntry[] {
  if (!Array.isArray(history)) return [];
  return history.map((each: Record<string, unknown> | null) => ({
    created: Number.isNaN(Date.parse(word(each?.created) ?? '')) ? undefined : word(each?.created),
    createdBy: word(each?.created_by) ?? '',
    comment: word(each?.comment) ?? '',
    empty: each?.empty_layer === true,
  }));
}

export function word(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
