/**
 * The store: an OCI image layout for what came and what can be given away, and one directory a layer for what overlayfs mounts.
 * Everything is made aside and renamed, and whatever is killed in between is swept by the next import.
 */
export type { ImageUser } from './conflict.ts';
export { findById, findImage, findNamed, findStored, listImages, notFound } from './find.ts';
export { findImageAgain } from './find-again.ts';
export { sweepImages } from './garbage.ts';
export {
  type Descriptor,
  imageName,
  PULLED_DIGEST,
  REF_NAME,
  readIndex,
  UNPACKED_SIZE,
} from './index-file.ts';
export { attributesPath, blobPath, isDigest, layerPath, storePaths } from './paths.ts';
export { publishImage, publishLayer, storeChanged, type Unpublished } from './publish.ts';
export { readConfig } from './read-image.ts';
export { type RemovedImage, type RemoveOptions, removeImage } from './remove.ts';
export { resolveManifest } from './resolve.ts';
export { makeTemporary, type Temporary, takeTemporary } from './temporary.ts';
