import { closeSync } from 'node:fs';
import { lockAbandoned } from '../container-directory.ts';
import { type ContainerRecord, readRecord } from '../record.ts';

/**
 * Resolves once a container that has just ended has nothing in its networks any more: who takes care of its end gives that back a moment later, and who stops a container in
 * order to start another one with its address or its port should not find them taken.
 */
export async function untilReleased(record: ContainerRecord): Promise<void> {
  if (!record.network?.leases.length) return;
  for (let attempt = 0; attempt < 500; attempt++) {
    const now = readRecord(record.id);
    if (now === undefined || !now.network?.leases.length || now.started !== record.started) return;
    // Nobody takes care of it: the next sweep does.
    const lock = lockAbandoned(record.id);
    if (lock !== undefined) {
      closeSync(lock);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, attempt < 50 ? 2 : 20));
  }
}
