/**
 * Pulling: from a name to an image in the store. The manifest for the platform is found, blobs are fetched beside each other, each
 * unpacked while it comes, and all is published at once when every digest is known to be right. Nothing here is loaded by a `run` that has its image.
 */
export type { PulledImage, PullOptions } from './options.ts';
export { formatPlatform, type Platform, parsePlatform } from './platform.ts';
export type { LayerState, PullEvent } from './progress.ts';
export { pullImage } from './pull.ts';
