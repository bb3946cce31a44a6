import { closeSync } from 'node:fs';
import { join } from 'node:path';
import { bytesOnDisk } from '../image/store/usage.ts';
import { lockAbandoned } from './container-directory.ts';
import { containersDirectory } from './paths.ts';
import type { ContainerRecord } from './record.ts';
import { listContainers } from './records.ts';
import { removeContainer } from './remove.ts';

/**
 * Removes the containers that do not run. Those that somebody is just making, starting or ending are left to him.
 *
 * @param fits which of them
 * @returns their ids, and how many bytes that freed
 */
export async function pruneContainers(
  fits: (record: ContainerRecord) => boolean = () => true,
): Promise<{ deleted: string[]; reclaimed: number }> {
  const deleted: string[] = [];
  let reclaimed = 0;
  for (const record of listContainers()) {
    if (!['created', 'exited', 'dead'].includes(record.status) || !fits(record)) continue;
    const lock = lockAbandoned(record.id);
    if (lock === undefined) continue;
    closeSync(lock);
    const size = bytesOnDisk(join(containersDirectory(), record.id, 'upper'));
    try {
      deleted.push(await removeContainer(record.id));
      reclaimed += size;
    } catch (error) {
      // Somebody was faster, in one way or the other.
      if (!['NO_CONTAINER', 'CONTAINER_RUNNING', 'CONTAINER_BUSY'].includes((error as { code: string }).code))
        throw error;
    }
  }
  return { deleted, reclaimed };
}
