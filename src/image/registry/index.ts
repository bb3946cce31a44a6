/**
 * Registries, by the OCI distribution specification (and Docker's, which came before it): manifests and blobs in and out of one
 * repository. Tokens, redirects, retries, mirrors and proxies are dealt with in here; what a manifest means is not known here.
 */
export { checkCredentials } from './ping.ts';
export { openRepository } from './repository.ts';
export type {
  BlobDescriptor,
  Credentials,
  Manifest,
  RegistryOptions,
  Repository,
} from './types.ts';
