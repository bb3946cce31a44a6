import { join } from 'node:path';
import { bytesOnDisk, type ImageUsage, imageUsage } from '../image/store/usage.ts';
import { containersDirectory } from './paths.ts';
import type { ContainerRecord } from './record.ts';
import { listContainers } from './records.ts';
import { type Volume, volumeUsage } from './volume/index.ts';

/** What tsbox takes on this disk, in bytes of files. */
export interface DiskUsage {
  /** `containers` counts those that use the image. */
  images: (ImageUsage & { containers: number })[];
  /** Of all layers, each once. */
  layers: number;
  /** Of those that no container's image has. */
  unusedLayers: number;
  /** With what each has written. */
  containers: { record: ContainerRecord; size: number }[];
  /** `containers` counts those that have the volume. */
  volumes: { volume: Volume; size: number; containers: number }[];
}

export function diskUsage(): DiskUsage {
  const records = listContainers();
  const ids = new Set(records.map(({ imageId }) => imageId));
  const { images, total, unused } = imageUsage((image) => ids.has(image.id));
  return {
    images: images.map((usage) => ({
      ...usage,
      containers: records.filter(({ imageId }) => imageId === usage.image.id).length,
    })),
    layers: total,
    unusedLayers: unused,
    containers: records.map((record) => ({
      record,
      size: bytesOnDisk(join(containersDirectory(), record.id, 'upper')),
    })),
    volumes: volumeUsage(),
  };
}
