import { closeSync } from 'node:fs';
import { killCgroup } from '../cgroup/index.ts';
import { TsboxError } from '../kernel/index.ts';
import { lockAbandoned, removeContainerDirectory } from './container-directory.ts';
import { findContainer } from './find-container.ts';
import { type ContainerRecord, readRecord } from './record.ts';
import { sweep } from './sweep.ts';

/**
 * Removes a container that has ended; with `force`, one that runs is killed first.
 *
 * @param reference a name, an id, or the beginning of one that no other has
 * @returns the id
 * @throws {TsboxError} NO_CONTAINER, AMBIGUOUS_ID, CONTAINER_RUNNING
 */
export async function removeContainer(reference: string, options: { force?: boolean } = {}): Promise<string> {
  sweep();
  const record = findContainer(reference);
  const lock = await lockEnded(record, options.force ?? false);
  if (lock === undefined) return record.id;
  removeContainerDirectory(record.id, record.name);
  closeSync(lock);
  return record.id;
}

/** Undefined where the container's own tsbox has removed it. */
async function lockEnded(record: ContainerRecord, force: boolean): Promise<number | undefined> {
  for (let attempt = 0; attempt < 1000; attempt++) {
    const lock = lockAbandoned(record.id);
    if (lock !== undefined) return lock;
    if (readRecord(record.id) === undefined) return undefined;
    if (!force) {
      throw new TsboxError('CONTAINER_RUNNING', `container ${record.name} is running`, {
        advice: 'end it first, or remove it with --force',
      });
    }
    if (record.cgroup !== undefined) killCgroup(record.cgroup);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new TsboxError(
    'CONTAINER_BUSY',
    `container ${record.name} was killed but its tsbox has not let go of it`,
  );
}
