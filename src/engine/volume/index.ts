/**
 * Volumes: directories that outlive containers, by name, below `volumes/` in the store. Each has a note of what it is beside its data. Whoever makes or removes one holds the lock of them all, and a
 * volume is used as long as a container's record names it, so nothing has to be counted.
 */
import { join } from 'node:path';
import { bytesOnDisk } from '../../image/store/usage.ts';
import { volumesDirectory } from '../paths.ts';
import { fitsFilters, type VolumeFilters } from './filter.ts';
import { allVolumes, findVolume, type VolumeRecord } from './store.ts';
import { usersOf } from './users.ts';

export { createVolume, type VolumeOptions } from './create.ts';
export type { VolumeFilters } from './filter.ts';
export { pruneVolumes, removeVolume } from './remove.ts';
export type { VolumeRecord } from './store.ts';

/** A volume as it is. */
export interface Volume extends VolumeRecord {
  /** The directory that containers see. */
  mountpoint: string;
}

/** In the order of their names. */
export function listVolumes(filters: VolumeFilters = {}): Volume[] {
  return allVolumes()
    .filter((volume) => fitsFilters(volume, filters))
    .map(described);
}

/** @throws {TsboxError} NO_VOLUME */
export function inspectVolume(name: string): Volume {
  return described(findVolume(name));
}

/** What each takes on the disk, in bytes, and how many containers have it. */
export function volumeUsage(): { volume: Volume; size: number; containers: number }[] {
  return listVolumes().map((volume) => ({
    volume,
    size: bytesOnDisk(volume.mountpoint),
    containers: usersOf(volume.name).length,
  }));
}

function described(volume: VolumeRecord): Volume {
  return { ...volume, mountpoint: join(volumesDirectory(), volume.name, '_data') };
}
