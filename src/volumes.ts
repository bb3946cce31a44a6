/** The library's part about volumes and about tidying up, each function loaded when it is called. */
export type { Volume, VolumeFilters, VolumeOptions, VolumeRecord } from './engine/volume/index.ts';

import type { ContainerRecord } from './engine/record.ts';
import type { Volume, VolumeFilters, VolumeOptions, VolumeRecord } from './engine/volume/index.ts';

const volumes = () => import('./engine/volume/index.ts');

/**
 * Makes a volume: a directory that outlives containers, which they mount by its name (`volumes: ['data:/var/lib/db']`). One of that name that is there
 * already is given back as it is. A name that a container mentions is made by itself.
 *
 * @param name letters, digits, `_`, `.` and `-`; made up where there is none
 * @param options.options `{ type: 'none', o: 'bind', device: '/srv/data' }`: the volume is that directory of the host
 * @throws {TsboxError} BAD_OPTION, VOLUME_EXISTS where it is there with other options
 */
export async function createVolume(name?: string, options?: VolumeOptions): Promise<VolumeRecord> {
  return (await volumes()).createVolume(name, options);
}

/** The volumes that are so, in the order of their names. */
export async function listVolumes(filters?: VolumeFilters): Promise<Volume[]> {
  return (await volumes()).listVolumes(filters);
}

/** @throws {TsboxError} NO_VOLUME */
export async function inspectVolume(name: string): Promise<Volume> {
  return (await volumes()).inspectVolume(name);
}

/**
 * Removes a volume with what is in it.
 *
 * @param options.force says nothing where there is none of that name
 * @throws {TsboxError} NO_VOLUME, VOLUME_IN_USE
 */
export async function removeVolume(name: string, options?: { force?: boolean }): Promise<void> {
  (await volumes()).removeVolume(name, options);
}

/** Removes the volumes that no container has and that nobody named; with `all`, those with names too. `reclaimed` is in bytes. */
export async function pruneVolumes(options?: {
  all?: boolean;
  filters?: VolumeFilters;
}): Promise<{ deleted: string[]; reclaimed: number }> {
  return (await volumes()).pruneVolumes(options);
}

/** Removes the containers that do not run; `reclaimed` is in bytes. @param fits which of them; default: all */
export async function pruneContainers(
  fits?: (record: ContainerRecord) => boolean,
): Promise<{ deleted: string[]; reclaimed: number }> {
  const { pruneContainers } = await import('./engine/prune.ts');
  return pruneContainers(fits);
}
