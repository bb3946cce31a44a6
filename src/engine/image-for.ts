import { existsSync } from 'node:fs';
import { findImage, type StoredImage } from '../image/index.ts';
import { embeddedImage, TsboxError } from '../kernel/index.ts';

/**
 * The image of that name. `busybox` comes with tsbox: where the store has none, the embedded one is imported, so that a fresh machine without internet
 * can run a container.
 */
export async function imageFor(name: string): Promise<StoredImage> {
  try {
    return findImage(name);
  } catch (error) {
    if ((error as TsboxError).code === 'LAYER_MISSING') return await unpack(name);
    const embedded = embeddedImage();
    const isEmbedded = name === 'busybox' || name === 'busybox:latest';
    if (!isEmbedded || !(error instanceof TsboxError) || !existsSync(embedded)) throw error;
    const { importImage } = await import('../image/import.ts');
    return importImage(embedded, 'busybox');
  }
}

/** An image that another program has copied into the store. */
async function unpack(name: string): Promise<StoredImage> {
  const { unpackImage } = await import('../image/unpack-image.ts');
  const say = (what: string) => process.stderr.write(`tsbox: ${what}\n`);
  return unpackImage(name, {
    onLayer: (layer, layers) => say(`unpacking \`${name}\`: layer ${layer} of ${layers}`),
    onWait: () => say(`waiting for another tsbox that unpacks \`${name}\``),
  });
}
