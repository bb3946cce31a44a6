import type { Credentials } from '../registry/index.ts';
import type { StoredImage } from '../stored-image.ts';
import type { PullEvent } from './progress.ts';

export interface PullOptions {
  /** `linux/arm64`, `linux/arm/v7`. Default: this machine's. */
  platform?: string;
  /** false: any TLS certificate, and plain HTTP where the registry has no TLS. Default true; false for a registry on this machine's loopback. */
  tlsVerify?: boolean;
  /** In place of those that `tsbox login` or Docker has kept. */
  credentials?: Credentials;
  /** How many layers are downloaded at once: 1 to 32, by default 3, or what `TSBOX_MAX_CONCURRENT_DOWNLOADS` says. */
  concurrency?: number;
  /** Ends the pull: nothing of it is left, and the error is the signal's reason. */
  signal?: AbortSignal;
  /** Told what happens; a `layer` event for each piece that comes, so be quick. */
  onProgress?: (event: PullEvent) => void;
}

/** An image that was pulled, or found up to date. */
export interface PulledImage extends StoredImage {
  /** What the registry gave for the name: the digest of the index, where there is one. */
  pulledDigest: string;
  /** false: the store had it, and nothing was fetched. */
  isNew: boolean;
}
