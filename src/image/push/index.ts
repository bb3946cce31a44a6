/**
 * Images into a registry: layers in parallel, what is there already left out or mounted from another repository, the manifest last, byte for
 * byte as it is in the store.
 */
export { type LayerState, type PushedImage, type PushOptions, pushAllTags, pushImage } from './push.ts';
