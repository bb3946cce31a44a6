import type { ContainerRecord } from '../record.ts';
import { setVolumeAside, withVolumesLock } from './store.ts';
import { usersOf } from './users.ts';

/**
 * Removes a container's anonymous volumes, where no other container has them. Before the container itself: what is killed in between is done again with
 * it, and nothing stays that nobody knows of.
 */
export function discardVolumes({ id, volumes = [] }: Pick<ContainerRecord, 'id' | 'volumes'>): void {
  // By a name that can only be such a volume's: the record is a file.
  const own = volumes.filter(({ anonymous, name }) => anonymous && /^[0-9a-f]{64}$/.test(name));
  if (own.length === 0) return;
  const gone = withVolumesLock(() =>
    own
      .filter(({ name }) => usersOf(name).every((user) => user.id === id))
      .map(({ name }) => setVolumeAside(name)),
  );
  for (const clear of gone) clear();
}
