import { TsboxError } from '../../kernel/index.ts';
import { tryReference } from '../reference.ts';
import type { StoredImage } from '../stored-image.ts';
import { type Descriptor, imageName, PULLED_DIGEST, readIndex } from './index-file.ts';
import { readImage, requireLayers } from './read-image.ts';
import { similarName } from './similar.ts';

/**
 * The image that goes by a name (`alpine`, `alpine:latest`, `docker.io/library/alpine`, `alpine@sha256:…`), or has this id or is the only
 * one whose id starts so. It reads three files.
 *
 * @throws {TsboxError} IMAGE_NOT_FOUND, AMBIGUOUS_ID, LAYER_MISSING, STORE_UNREADABLE, STORE_CORRUPT
 */
export function findImage(reference: string): StoredImage {
  const { image, descriptor } = findStored(reference);
  return requireLayers(image, descriptor);
}

/** The same whether it is unpacked or not, and the line of the index. */
export function findStored(reference: string): { image: StoredImage; descriptor: Descriptor } {
  const descriptors = readIndex();
  const named = findNamed(descriptors, reference);
  const image = (named && readImage(named)) ?? findById(descriptors, reference)[0];
  if (image === undefined) throw notFound(reference, descriptors);
  const descriptor =
    named ?? descriptors.find((each) => each.digest === image.digest && imageName(each) === image.name);
  if (descriptor === undefined) throw notFound(reference, descriptors);
  return { image, descriptor };
}

/**
 * All images that have a name, and those that have lost theirs, in the order in which they came.
 *
 * @param onDamaged told of those that cannot be read
 */
export function listImages(onDamaged: (name: string, error: TsboxError) => void = () => {}): StoredImage[] {
  return readIndex().flatMap((descriptor) => {
    try {
      return readImage(descriptor) ?? [];
    } catch (error) {
      if (!(error instanceof TsboxError)) throw error;
      onDamaged(imageName(descriptor) || descriptor.digest, error);
      return [];
    }
  });
}

/** The line of the index with this name. */
export function findNamed(descriptors: readonly Descriptor[], reference: string): Descriptor | undefined {
  const wanted = tryReference(reference);
  if (wanted === undefined)
    return descriptors.find((each) => reference !== '' && imageName(each) === reference);
  const { digest, repository } = wanted;
  if (digest === undefined) return descriptors.find((each) => imageName(each) === wanted.name);
  return descriptors.find(
    (each) =>
      tryReference(imageName(each))?.repository === repository &&
      (each.digest === digest || each.annotations?.[PULLED_DIGEST] === digest),
  );
}

/** The images with this id, one for each name they have. */
export function findById(descriptors: readonly Descriptor[], reference: string): StoredImage[] {
  const prefix = /^(?:sha256:)?([0-9a-f]{2,64})$/.exec(reference)?.[1];
  if (prefix === undefined) return [];
  const images = descriptors.flatMap((descriptor) => tryImage(descriptor) ?? []);
  const found = images.filter((image) => image.id.startsWith(`sha256:${prefix}`));
  const ids = new Set(found.map((image) => image.id));
  if (ids.size < 2) return found;
  throw new TsboxError('AMBIGUOUS_ID', `${ids.size} images have an id that starts with \`${prefix}\``, {
    advice: `give more of it: ${[...ids].map((id) => id.slice(7, 27)).join(', ')}`,
  });
}

export function notFound(reference: string, descriptors: readonly Descriptor[]): TsboxError {
  const names = descriptors.map(imageName).filter((name) => name !== '');
  const similar = similarName(reference, names);
  const meant = similar === undefined ? '' : `; did you mean \`${similar}\`?`;
  return new TsboxError('IMAGE_NOT_FOUND', `there is no image \`${reference}\` in the store${meant}`, {
    advice: `tsbox import FILE ${tryReference(reference) ? reference : 'NAME'} makes it from a root file system tar; tsbox images lists what is there`,
  });
}

/** Another image's damage must not hide this one. */
export function tryImage(descriptor: Descriptor): StoredImage | undefined {
  try {
    return readImage(descriptor);
  } catch {
    return undefined;
  }
}
