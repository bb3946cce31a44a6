/**
 * Who we are to a registry: what `tsbox login` keeps, what Docker's configuration has, and what credential helpers know. Logging in is in
 * login.ts, which asks the registry, while the registry's client asks here: so it is not part of this face.
 */
export { findCredentials } from './find.ts';
export type { StoredCredentials } from './stored-credentials.ts';
