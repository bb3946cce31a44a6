import { tryReference } from '../reference.ts';
import type { StoredImage } from '../stored-image.ts';
import { type ImageUser, inUseError, manyNamesError, nameInUseError } from './conflict.ts';
import { findById, findNamed, notFound, tryImage } from './find.ts';
import { replaceIndex, tryParts } from './garbage.ts';
import { type Descriptor, formatIndex, imageName, readIndex, withoutName } from './index-file.ts';
import { withStoreLock } from './lock.ts';

export interface RemovedImage {
  /** Names that are gone. */
  untagged: string[];
  /** Ids of images, digests of layers. */
  deleted: string[];
}

export interface RemoveOptions {
  /** Removes all names of an image that is given by its id, and names of images that containers use. Default false. */
  force?: boolean;
  /** Says who uses an image: a container that runs, if there is one. Asked while the store is locked. */
  inUse?: (image: StoredImage) => ImageUser | undefined;
}

/**
 * Takes a name away, and with its last name the image; an id takes the image. What other images do not need goes with it. An image that a container
 * uses loses its names at most, and only by force: the container may be started again.
 *
 * @throws {TsboxError} IMAGE_NOT_FOUND, AMBIGUOUS_ID, IMAGE_IN_USE, IMAGE_HAS_NAMES
 */
export function removeImage(reference: string, options: RemoveOptions = {}): RemovedImage {
  const { removed, layers } = withStoreLock(() => {
    const all = readIndex();
    const { gone, kept } = choose(all, reference, options);
    const others = all.filter((each) => !gone.includes(each));
    const left = [...others, ...kept];
    return {
      removed: {
        untagged: gone.map(imageName).filter((name) => name !== ''),
        deleted: deletedWith(gone, left),
      },
      layers: replaceIndex(formatIndex(left), left, gone),
    };
  });
  layers?.release();
  return removed;
}

/** Ids of images and digests of layers that go with these lines, if those stay. */
export function deletedWith(gone: readonly Descriptor[], left: readonly Descriptor[]): string[] {
  const stays = left.flatMap((each) => tryParts(each) ?? []);
  const kept = new Set(stays.flatMap(({ config, diffIds }) => [config, ...diffIds]));
  const goes = gone.flatMap((each) => tryParts(each) ?? []);
  const parts = [...goes.map(({ config }) => config), ...goes.flatMap(({ diffIds }) => diffIds)];
  return [...new Set(parts)].filter((part) => !kept.has(part));
}

interface Choice {
  /** Lines of the index that go. */
  gone: Descriptor[];
  /** Lines that take their place, without names. */
  kept: Descriptor[];
}

/** In the order in which Docker asks (daemon/images/image_delete.go). */
function choose(
  all: readonly Descriptor[],
  reference: string,
  { force = false, inUse }: RemoveOptions,
): Choice {
  const named = findNamed(all, reference);
  const image = named === undefined ? findById(all, reference)[0] : tryImage(named);
  if (named === undefined && image === undefined) throw notFound(reference, all);
  // A damaged image cannot be in use, and must be removable.
  if (image === undefined) return { gone: named ? [named] : [], kept: [] };
  const lines = all.filter((each) => tryParts(each)?.config === image.id);
  const user = inUse?.(image);
  if (named !== undefined) {
    const isLast = lines.every((each) => each === named || imageName(each) === '');
    if (!isLast || user === undefined) return { gone: isLast ? lines : [named], kept: [] };
    if (!force) throw nameInUseError(reference, image, user);
    return { gone: lines, kept: [withoutName(named)] };
  }
  const names = lines.map(imageName).filter((name) => name !== '');
  if (!force && !isSingle(names)) throw manyNamesError(image, names);
  if (user === undefined) return { gone: lines, kept: [] };
  if (user.running || !force || names.length === 0) throw inUseError(image, user, force);
  return { gone: lines, kept: [withoutName(lines[0] as Descriptor)] };
}

/** One tag, and digests of the same repository. */
function isSingle(names: readonly string[]): boolean {
  const references = names.map((name) => tryReference(name));
  const repositories = new Set(references.map((each, index) => each?.repository ?? names[index]));
  return repositories.size <= 1 && references.filter((each) => each?.digest === undefined).length <= 1;
}
