import { closeSync } from 'node:fs';
import { lockAbandoned } from '../container-directory.ts';
import { type ContainerRecord, readRecord } from '../record.ts';

/**
 * Resolves once whoever takes care of a container's end has done so, which is a moment after its program has ended: who stops a container in order to start another
 * one with its address or its port should not find them taken, and `die` comes before `stop`.
 */
export async function untilSettled(record: ContainerRecord): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt++) {
    const now = readRecord(record.id);
    if (now === undefined || now.started !== record.started) return;
    // Free once all is done, and also where nobody takes care of it: then the next sweep does.
    const lock = lockAbandoned(record.id);
    if (lock !== undefined) {
      closeSync(lock);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, attempt < 50 ? 2 : 20));
  }
}
