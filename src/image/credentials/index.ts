/**
 * Who we are to a registry: what `tsbox login` keeps, what Docker's configuration has, and what credential helpers know.
 */
export { findCredentials, type StoredCredentials } from './find.ts';
