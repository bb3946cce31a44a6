import { TsboxError } from '../../kernel/index.ts';
import { tryReference } from '../reference.ts';
import type { StoredImage } from '../stored-image.ts';
import { type Descriptor, REF_NAME, readIndex } from './index-file.ts';
import { readImage, requireLayers } from './read-image.ts';
import { similarName } from './similar.ts';

/**
 * The image that goes by a name (`alpine`, `alpine:latest`, `docker.io/library/alpine`, `alpine@sha256:…`), or has this id or is the only
 * one whose id starts so. It reads three files.
 *
 * @throws {TsboxError} IMAGE_NOT_FOUND, AMBIGUOUS_ID, LAYER_MISSING, STORE_UNREADABLE, STORE_CORRUPT
 */
export function findImage(reference: string): StoredImage {
  const descriptors = readIndex();
  const image = readNamed(descriptors, reference) ?? findById(descriptors, reference)[0];
  if (image === undefined) throw notFound(reference, descriptors);
  return requireLayers(image);
}

/** All images that have a name, and those that have lost theirs, in the order in which they came. */
export function listImages(): StoredImage[] {
  return readIndex().flatMap((descriptor) => readImage(descriptor) ?? []);
}

/** The line of the index with this name. */
export function findNamed(descriptors: readonly Descriptor[], reference: string): Descriptor | undefined {
  const wanted = tryReference(reference);
  if (wanted === undefined) return undefined;
  return descriptors.find((descriptor) => {
    const stored = tryReference(descriptor.annotations?.[REF_NAME] ?? '');
    if (stored === undefined) return false;
    return wanted.digest === undefined
      ? stored.name === wanted.name
      : stored.repository === wanted.repository && descriptor.digest === wanted.digest;
  });
}

/** The images with this id, one for each name they have. */
export function findById(descriptors: readonly Descriptor[], reference: string): StoredImage[] {
  const prefix = /^(?:sha256:)?([0-9a-f]{2,64})$/.exec(reference)?.[1];
  if (prefix === undefined) return [];
  const images = descriptors.flatMap((descriptor) => readImage(descriptor) ?? []);
  const found = images.filter((image) => image.id.startsWith(`sha256:${prefix}`));
  const ids = new Set(found.map((image) => image.id));
  if (ids.size < 2) return found;
  throw new TsboxError('AMBIGUOUS_ID', `${ids.size} images have an id that starts with \`${prefix}\``, {
    advice: `give more of it: ${[...ids].map((id) => id.slice(7, 27)).join(', ')}`,
  });
}

export function notFound(reference: string, descriptors: readonly Descriptor[]): TsboxError {
  const names = descriptors.flatMap((descriptor) => descriptor.annotations?.[REF_NAME] ?? []);
  const similar = similarName(reference, names);
  const meant = similar === undefined ? '' : `; did you mean \`${similar}\`?`;
  return new TsboxError('IMAGE_NOT_FOUND', `there is no image \`${reference}\` in the store${meant}`, {
    advice: `tsbox import FILE ${tryReference(reference) ? reference : 'NAME'} makes it from a root file system tar; tsbox images lists what is there`,
  });
}

function readNamed(descriptors: readonly Descriptor[], reference: string): StoredImage | undefined {
  const descriptor = findNamed(descriptors, reference);
  return descriptor === undefined ? undefined : readImage(descriptor);
}
