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
    const embedded = embeddedImage();
    const isEmbedded = name === 'busybox' || name === 'busybox:latest';
    if (!isEmbedded || !(error instanceof TsboxError) || !existsSync(embedded)) throw error;
    const { importImage } = await import('../image/import.ts');
    return importImage(embedded, 'busybox');
  }
}
