/** Where a layer is. Downloading and unpacking go on at the same time: `unpacking` begins when all of it has come. */
export type LayerState = 'exists' | 'waiting' | 'downloading' | 'unpacking' | 'done';

/** What happens during a pull, in this order but for the layers, of which several are under way at once. */
export type PullEvent =
  /** Another process pulls the same image; this one will use what it gets. */
  | { kind: 'waiting' }
  /** The manifest is here. `digest` is what the registry gave for the name; sizes are those of the compressed blobs. */
  | { kind: 'found'; digest: string; layers: { digest: string; size: number }[] }
  /** Bytes of the blob that have come, and that have been unpacked. */
  | { kind: 'layer'; digest: string; state: LayerState; received: number; unpacked: number }
  /** A request has failed and will be tried again. */
  | { kind: 'retry'; why: string; seconds: number }
  /** The image is in the store; `isNew` is false where it was there before. */
  | { kind: 'done'; digest: string; isNew: boolean };
