/**
 * From what a person asked for and what an image says to an OCI runtime specification: `buildSpec`. One file a part of it; every rule is Docker's
 * unless a comment says otherwise. Nothing here has side effects, and what must be known about the machine is asked through `Host`, so that
 * the same options give the same specification in a test.
 */
export { type BuiltSpec, buildSpec, type SpecInput } from './build-spec.ts';
export type { ImageConfig } from './image-config.ts';
