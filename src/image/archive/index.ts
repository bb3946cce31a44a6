/**
 * Images as one file: docker-archive (what `docker save` writes) and oci-archive (an OCI image layout in a tar). What is read is an
 * enemy: names of members are looked up and never used as paths, and nothing comes into the store before all of it was checked.
 */
export { type LoadedImage, type LoadOptions, loadImages } from './load.ts';
export { type ArchiveFormat, type SaveOptions, saveImages } from './save.ts';
