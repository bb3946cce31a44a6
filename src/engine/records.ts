import { closeSync } from 'node:fs';
import { lockAbandoned } from './container-directory.ts';
import { type ContainerRecord, containerIds, readRecord } from './record.ts';

/** All containers on this machine, newest first. One whose tsbox was killed is shown as exited (137), as it is. */
export function listContainers(): ContainerRecord[] {
  return containerIds()
    .map(currentRecord)
    .filter((record) => record !== undefined)
    .sort((a, b) => (a.created < b.created ? 1 : -1));
}

/** The ranges of host ids that containers with a user namespace have, so that `--userns auto` chooses another. */
export function idRangesInUse(): { hostID: number; size: number }[] {
  return listContainers().flatMap(({ idRange }) => idRange ?? []);
}

function currentRecord(id: string): ContainerRecord | undefined {
  const record = readRecord(id);
  if (record === undefined || record.status === 'exited') return record;
  const lock = lockAbandoned(id);
  if (lock === undefined) return record;
  closeSync(lock);
  // It is being read while it is swept: what is about to be removed need not be shown.
  return record.rm ? undefined : { ...record, status: 'exited', exitCode: 137 };
}

/** The container that uses the image, one that runs before one that does not. */
export function imageUser(image: { id: string }): { id: string; name: string; running: boolean } | undefined {
  const users = listContainers()
    .filter((record) => record.imageId === image.id)
    .map(({ id, name, status }) => ({ id, name, running: !['created', 'exited', 'dead'].includes(status) }));
  return users.find(({ running }) => running) ?? users[0];
}
