import { TsboxError } from '../../kernel/index.ts';
import type { StoredImage } from '../stored-image.ts';
import { findById, findNamed, notFound } from './find.ts';
import { replaceIndex, tryParts } from './garbage.ts';
import { type Descriptor, formatIndex, REF_NAME, readIndex } from './index-file.ts';
import { withStoreLock } from './lock.ts';
import { readImage } from './read-image.ts';

export interface RemovedImage {
  /** Names that are gone. */
  untagged: string[];
  /** Ids of images, digests of layers. */
  deleted: string[];
}

/**
 * Takes a name away, and with its last name the image. An id takes the image, if it has no more than one name. What other images
 * do not need goes with it.
 *
 * @param options.inUse says who uses an image that is about to go: the name of a container. Asked while the store is locked
 * @throws {TsboxError} IMAGE_NOT_FOUND, AMBIGUOUS_ID, IMAGE_IN_USE, IMAGE_HAS_NAMES
 */
export function removeImage(
  reference: string,
  options: { inUse?: (image: StoredImage) => string | undefined } = {},
): RemovedImage {
  const { removed, layers } = withStoreLock(() => {
    const all = readIndex();
    const gone = select(all, reference);
    const left = all.filter((each) => !gone.includes(each));
    const last = gone.filter((each) => !left.some(({ digest }) => digest === each.digest));
    for (const each of last) refuseUsed(each, reference, options.inUse);
    return { removed: report(gone, last, left), layers: replaceIndex(formatIndex(left), left, gone) };
  });
  layers?.release();
  return removed;
}

/** The lines of the index that a reference means. */
function select(all: readonly Descriptor[], reference: string): Descriptor[] {
  const named = findNamed(all, reference);
  if (named !== undefined) return [named];
  const digests = new Set(findById(all, reference).map((image) => image.digest));
  const found = all.filter((each) => digests.has(each.digest));
  if (found.length === 0) throw notFound(reference, all);
  const names = found.flatMap((each) => each.annotations?.[REF_NAME] ?? []);
  if (names.length > 1) {
    throw new TsboxError(
      'IMAGE_HAS_NAMES',
      `image \`${reference}\` has more than one name: ${names.join(', ')}`,
      {
        advice: `tsbox rmi ${names.join(' ')}`,
      },
    );
  }
  return found;
}

function refuseUsed(
  descriptor: Descriptor,
  reference: string,
  inUse: ((image: StoredImage) => string | undefined) | undefined,
): void {
  // A damaged image cannot be in use, and must be removable.
  const image = tryParts(descriptor) === undefined ? undefined : readImage(descriptor);
  const user = image && inUse?.(image);
  if (!user) return;
  throw new TsboxError('IMAGE_IN_USE', `image \`${reference}\` is used by container \`${user}\``, {
    advice: `tsbox rm ${user} first`,
  });
}

function report(gone: Descriptor[], last: Descriptor[], left: Descriptor[]): RemovedImage {
  const kept = new Set(left.flatMap((each) => tryParts(each)?.diffIds ?? []));
  const parts = last.flatMap((each) => tryParts(each) ?? []);
  return {
    untagged: gone.flatMap((each) => each.annotations?.[REF_NAME] ?? []),
    deleted: [
      ...parts.map(({ config }) => config),
      ...parts.flatMap(({ diffIds }) => diffIds).filter((layer) => !kept.has(layer)),
    ],
  };
}
