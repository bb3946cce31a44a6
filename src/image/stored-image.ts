/** The `config` object of an OCI image configuration, with the specification's own names (OCI image-spec, config.md). */
export interface ImageConfig {
  User?: string;
  ExposedPorts?: Record<string, object>;
  Env?: string[];
  Entrypoint?: string[];
  Cmd?: string[];
  Volumes?: Record<string, object>;
  WorkingDir?: string;
  Labels?: Record<string, string>;
  StopSignal?: string;
  /** Docker's, with times in nanoseconds. Kept, and not run. */
  Healthcheck?: object;
  /** Of a builder; kept for it. */
  OnBuild?: string[];
  Shell?: string[];
  ArgsEscaped?: boolean;
}

/** An image that is in the store and unpacked. */
export interface StoredImage {
  /** `alpine:latest`; empty for an image whose name went to another one. */
  name: string;
  /** Digest of the configuration, `sha256:…`: the same wherever the image is, and however its layers are compressed. */
  id: string;
  /** Digest of the manifest, `sha256:…`; of the index, where another program has copied in an image for several machines. */
  digest: string;
  /** When it was made, in ISO 8601. */
  created: string;
  /** Bytes of its files, unpacked; of its blobs, while it is not unpacked. */
  size: number;
  config: ImageConfig;
  /** Absolute directories, the lowest layer first. */
  layers: string[];
}
