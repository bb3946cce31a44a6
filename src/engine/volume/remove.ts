import { join } from 'node:path';
import { bytesOnDisk } from '../../image/store/usage.ts';
import { TsboxError } from '../../kernel/index.ts';
import { volumesDirectory } from '../paths.ts';
import { fitsFilters, type VolumeFilters } from './filter.ts';
import { allVolumes, findVolume, readVolume, setVolumeAside, withVolumesLock } from './store.ts';
import { usersOf } from './users.ts';

/**
 * Removes a volume with what is in it.
 *
 * @param options.force says nothing where there is no such volume; one that is used stays in any case
 * @throws {TsboxError} NO_VOLUME, VOLUME_IN_USE
 */
export function removeVolume(name: string, options: { force?: boolean } = {}): void {
  const clear = withVolumesLock(() => {
    if (options.force && readVolume(name) === undefined) return undefined;
    const volume = findVolume(name);
    const [user] = usersOf(volume.name);
    if (user !== undefined) {
      throw new TsboxError(
        'VOLUME_IN_USE',
        `volume ${volume.name} is in use by container ${user.name} (${user.id.slice(0, 12)})`,
        { advice: `remove that first: tsbox rm ${user.name}` },
      );
    }
    return setVolumeAside(volume.name);
  });
  clear?.();
}

/**
 * Removes the volumes that no container has and that nobody named; with `all`, those with names too.
 *
 * @returns their names, and how many bytes that freed
 */
export function pruneVolumes(options: { all?: boolean; filters?: VolumeFilters } = {}): {
  deleted: string[];
  reclaimed: number;
} {
  let reclaimed = 0;
  const gone = withVolumesLock(() =>
    allVolumes()
      .filter(({ anonymous }) => options.all || anonymous)
      .filter((volume) => fitsFilters(volume, options.filters ?? {}) && usersOf(volume.name).length === 0)
      .map(({ name }) => {
        reclaimed += bytesOnDisk(join(volumesDirectory(), name, '_data'));
        return { name, clear: setVolumeAside(name) };
      }),
  );
  for (const { clear } of gone) clear();
  return { deleted: gone.map(({ name }) => name), reclaimed };
}
