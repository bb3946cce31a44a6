/**
 * Unpacking a layer: from the entries of a tar to files on disk, as overlayfs wants them. An archive is an enemy here: every
 * path is resolved in the kernel inside the layer's root, and what has no place in an image is refused by name.
 */
export { type AppliedLayer, applyLayer } from './apply.ts';
export { type Attributes, setAttributes } from './attributes.ts';
export { hasImplied, noteImplied, readImplied } from './implied.ts';
