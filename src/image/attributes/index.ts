/**
 * The attributes layer. A layer's tar may leave out directories that layers below it have; by itself it is unpacked with plain ones, which
 * would hide the attributes of those below. Over the layers of such an image lies one more that has these directories only, with
 * the attributes that are meant (docs/decisions/0006-attributes-layer.md).
 */
export { makeAttributes } from './make.ts';
