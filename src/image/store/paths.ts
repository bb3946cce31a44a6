import { join, resolve } from 'node:path';
import { storeRoot } from '../../kernel/store-root.ts';

/** Where the store keeps what. */
export interface StorePaths {
  /** An OCI image layout. Its directory is also what the store's lock is taken on. */
  images: string;
  index: string;
  blobs: string;
  /** `<hex of the diff ID>/diff`, one a layer; `<hex of an image's id>-attributes/diff` over those of some images. */
  layers: string;
}

export function storePaths(): StorePaths {
  const root = resolve(storeRoot());
  const images = join(root, 'images');
  return {
    images,
    index: join(images, 'index.json'),
    blobs: join(images, 'blobs', 'sha256'),
    layers: join(root, 'layers'),
  };
}

/** The file of a blob. The digest must have been checked by `isDigest`: it becomes a path. */
export function blobPath(digest: string): string {
  return join(storePaths().blobs, digest.slice('sha256:'.length));
}

/** The directory of an unpacked layer, the one that overlayfs mounts. */
export function layerPath(diffId: string): string {
  return join(storePaths().layers, diffId.slice('sha256:'.length), 'diff');
}

/** The directory that is over an image's layers where some of them do not describe their directories: see src/image/attributes. */
export function attributesPath(imageId: string): string {
  return join(storePaths().layers, attributesName(imageId), 'diff');
}

/** Never the name of a layer. */
export function attributesName(imageId: string): string {
  return `${imageId.slice('sha256:'.length)}-attributes`;
}

/** Whether a name in `layers` is one of those that images have, and no unfinished directory. */
export function isLayerName(name: string): boolean {
  return /^[0-9a-f]{64}(?:-attributes)?$/.test(name);
}

/** Whether a word from a JSON file is a SHA-256 digest. */
export function isDigest(value: unknown): value is string {
  return typeof value === 'string' && /^sha256:[0-9a-f]{64}$/.test(value);
}
