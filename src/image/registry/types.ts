/** How a registry is spoken to. */
export interface RegistryOptions {
  /**
   * false: takes any TLS certificate, and plain HTTP where the registry has no TLS. Default true; for a registry on a loopback address
   * (`localhost`, 127.0.0.0/8, `::1`) false, as for Docker.
   */
  tlsVerify?: boolean;
  /** In place of those of `tsbox login` and of Docker's configuration. */
  credentials?: Credentials;
  /** Ends what is going on: the error is the signal's reason. */
  signal?: AbortSignal;
  /** Called before each wait for another try, with a line for people and the seconds. */
  onRetry?: (why: string, seconds: number) => void;
}

export interface Credentials {
  username: string;
  password: string;
}

/** A manifest or an index, byte for byte as the registry gave it. */
export interface Manifest {
  mediaType: string;
  /** Of `bytes`, computed here. */
  digest: string;
  bytes: Buffer;
}

/** What a manifest says of a blob. OCI image specification, descriptor. */
export interface BlobDescriptor {
  mediaType?: string;
  digest: string;
  size: number;
  /** Where else it may be had, for layers that may not be given away. Not asked: images that need it are refused. */
  urls?: string[];
}

/** One repository of one registry. Each method does the authentication, redirects and retries that it takes. */
export interface Repository {
  /** `docker.io/library/alpine`, for messages. */
  readonly name: string;

  /**
   * What a tag or a digest stands for. One request, and one for a token where the registry wants one.
   *
   * @returns undefined where the registry has no such manifest
   */
  resolve(reference: string): Promise<{ digest: string; mediaType: string; size: number } | undefined>;

  /**
   * A manifest by its tag or digest: at most 4 MiB, and for a digest exactly what it is the digest of.
   *
   * @throws {TsboxError} MANIFEST_NOT_FOUND, BAD_MANIFEST, and what every request can throw: REGISTRY_DENIED (the registry wants a login,
   * or this one may not), REGISTRY_UNREACHABLE, REGISTRY_FAILED (it answered something that is no answer)
   */
  manifest(reference: string): Promise<Manifest>;

  /**
   * A blob's bytes, in order, from the network as they come; after a broken connection it goes on where it was. The chunks are good to
   * use only after the end, when the length and the digest are known to be right.
   *
   * @throws {TsboxError} BAD_BLOB (wrong length or digest), BLOB_NOT_FOUND
   */
  blob(descriptor: BlobDescriptor): AsyncIterable<Buffer>;

  /** Whether the registry has a blob in this repository. */
  hasBlob(digest: string): Promise<boolean>;

  /**
   * Asks for a blob of another repository of the same registry, so that it need not be sent.
   *
   * @param fromPath the other repository without its registry: `library/alpine`
   * @returns false where the registry does not do it
   */
  mountBlob(digest: string, fromPath: string): Promise<boolean>;

  /**
   * Sends a blob, in pieces where the registry asks for pieces; after a broken connection it goes on where the registry has got to.
   *
   * @param open reads it from a byte on; called again for each new try
   * @param onProgress called with the number of bytes that the registry has been sent, of `descriptor.size`
   */
  uploadBlob(
    descriptor: BlobDescriptor,
    open: (offset: number) => AsyncIterable<Buffer>,
    onProgress?: (sent: number) => void,
  ): Promise<void>;

  /**
   * Sends a manifest; its blobs have to be there.
   *
   * @param reference a tag or a digest
   * @returns its digest
   */
  putManifest(reference: string, mediaType: string, bytes: Buffer): Promise<string>;

  /** Closes the connections that are kept for the next request. The process can end without it. */
  close(): void;
}
