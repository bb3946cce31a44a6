import { lstatSync, readdirSync } from 'node:fs';
import type { StoredImage } from '../stored-image.ts';
import { listImages } from './find.ts';

/** What an image takes, in bytes of files as they are in its layers. */
export interface ImageUsage {
  image: StoredImage;
  /** In layers that other images have too. */
  shared: number;
  /** In layers that no other image has: what its removal would free. */
  unique: number;
}

/** One entry an image, whatever number of names it has; and all layers together, each counted once, and those that no used image has. */
export function imageUsage(isUsed: (image: StoredImage) => boolean): {
  images: ImageUsage[];
  total: number;
  unused: number;
} {
  const images = [...new Map(listImages().map((image) => [image.id, image])).values()];
  const users = new Map<string, number>();
  for (const image of images) {
    for (const layer of new Set(image.layers)) users.set(layer, (users.get(layer) ?? 0) + 1);
  }
  const sizes = new Map([...users.keys()].map((layer) => [layer, bytesOnDisk(layer)]));
  const sum = (layers: readonly string[]) =>
    layers.reduce((bytes, layer) => bytes + (sizes.get(layer) ?? 0), 0);
  const usages = images.map((image) => {
    const layers = [...new Set(image.layers)];
    const shared = sum(layers.filter((layer) => (users.get(layer) ?? 0) > 1));
    return { image, shared, unique: sum(layers) - shared };
  });
  const used = new Set(images.filter(isUsed).flatMap((image) => image.layers));
  const all = [...sizes.keys()];
  return { images: usages, total: sum(all), unused: sum(all.filter((layer) => !used.has(layer))) };
}

/** Bytes of the regular files in a directory, each once however many links it has. Nothing where it is not there. */
export function bytesOnDisk(directory: string): number {
  let bytes = 0;
  const linked = new Set<string>();
  const waiting = [Buffer.from(directory)];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    for (const entry of entriesOf(path)) {
      const child = Buffer.concat([path, SLASH, entry.name as unknown as Buffer]);
      if (entry.isDirectory()) waiting.push(child);
      if (!entry.isFile()) continue;
      const status = lstatSync(child, { throwIfNoEntry: false });
      if (status === undefined || isCounted(status, linked)) continue;
      bytes += status.size;
    }
  }
  return bytes;
}

function isCounted(
  { nlink, dev, ino }: { nlink: number; dev: number; ino: number },
  linked: Set<string>,
): boolean {
  if (nlink < 2) return false;
  const file = `${dev}:${ino}`;
  return linked.has(file) || !linked.add(file);
}

/** Names are bytes. What goes meanwhile, or may not be read, takes nothing. */
function entriesOf(directory: Buffer) {
  try {
    return readdirSync(directory, { withFileTypes: true, encoding: 'buffer' });
  } catch {
    return [];
  }
}

const SLASH = Buffer.from('/');
