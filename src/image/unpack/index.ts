/**
 * Unpacking a layer while its blob is still coming: a file that grows on one side, files and hashes on the other, and threads of
 * their own in between. Imports, pulls and loads all unpack here.
 */
export { GrowingFile } from './growing-file.ts';
export { carryOut, type UnpackedLayer, type UnpackJob } from './job.ts';
export { Unpackers, type Unpacking } from './unpackers.ts';
