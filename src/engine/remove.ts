import { closeSync } from 'node:fs';
import { killCgroup } from '../cgroup/index.ts';
import { closeDescriptor, signalPidfd, TsboxError } from '../kernel/index.ts';
import { lockAbandoned, removeContainerDirectory } from './container-directory.ts';
import { noteEvents, ofContainer } from './events/note.ts';
import { findContainer } from './find-container.ts';
import { openProcess } from './process-identity.ts';
import { type ContainerRecord, readRecord } from './record.ts';
import { currentRecord } from './records.ts';
import { sweepNowAndThen, sweepOne } from './sweep.ts';
import { updateRecord } from './update-record.ts';
import { discardVolumes } from './volume/discard.ts';

/**
 * Removes a container that has ended; with `force`, one that runs is killed first; with `volumes`, its anonymous volumes go too.
 *
 * @param reference a name, an id, or the beginning of one that no other has
 * @returns the id
 * @throws {TsboxError} NO_CONTAINER, AMBIGUOUS_ID, CONTAINER_RUNNING
 */
export async function removeContainer(
  reference: string,
  options: { force?: boolean; volumes?: boolean } = {},
): Promise<string> {
  sweepNowAndThen();
  const found = findContainer(reference);
  sweepOne(found.id);
  // Before it is killed: its restart policy must not have a say.
  if (options.force) updateRecord(found.id, (now) => ({ ...now, stopRequested: true }));
  const lock = await lockEnded(found, options.force ?? false);
  if (lock === undefined) return found.id;
  const record = readRecord(found.id) ?? found;
  noteEvents(ofContainer(record, 'destroy'));
  if (options.volumes || record.rm) discardVolumes(record);
  removeContainerDirectory(record.id, record.name);
  closeSync(lock);
  return record.id;
}

/** Undefined where the container's own tsbox has removed it. */
async function lockEnded(found: ContainerRecord, force: boolean): Promise<number | undefined> {
  for (let attempt = 0; attempt < 1000; attempt++) {
    const lock = lockAbandoned(found.id);
    if (lock !== undefined) return lock;
    const record = currentRecord(found.id);
    if (record === undefined && readRecord(found.id) === undefined) return undefined;
    // One that has ended, or was never started, is only being looked at or tidied up by somebody.
    const lives = record !== undefined && !['exited', 'created', 'dead'].includes(record.status);
    if (lives && !force) {
      throw new TsboxError('CONTAINER_RUNNING', `container ${found.name} is running`, {
        advice: 'end it first, or remove it with --force',
      });
    }
    if (force) end(record ?? found);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new TsboxError(
    'CONTAINER_BUSY',
    `container ${found.name} was killed but its tsbox has not let go of it`,
  );
}

function end(record: ContainerRecord): void {
  if (record.cgroup !== undefined) killCgroup(record.cgroup);
  if (record.status !== 'restarting' || record.monitor === undefined) return;
  // Somebody sleeps until its restart.
  const pidfd = openProcess(record.monitor);
  if (pidfd === undefined) return;
  signalPidfd(pidfd, 9);
  closeDescriptor(pidfd);
}
