/**
 * The store: an OCI image layout for what came and what can be given away, and one directory a layer for what overlayfs mounts.
 * Everything is made aside and renamed, and whatever is killed in between is swept by the next import.
 */
export { findById, findImage, findNamed, listImages, notFound } from './find.ts';
export { sweepImages } from './garbage.ts';
export { type Descriptor, REF_NAME, readIndex } from './index-file.ts';
export { blobPath, isDigest, layerPath, storePaths } from './paths.ts';
export { publishImage } from './publish.ts';
export { readConfig } from './read-image.ts';
export { type RemovedImage, removeImage } from './remove.ts';
export { makeTemporary, type Temporary } from './temporary.ts';
