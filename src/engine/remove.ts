import { closeSync } from 'node:fs';
import { killCgroup } from '../cgroup/index.ts';
import { TsboxError } from '../kernel/index.ts';
import { lockAbandoned, nameOwner, removeContainerDirectory } from './container-directory.ts';
import { didYouMean } from './options/index.ts';
import { type ContainerRecord, containerIds, readRecord } from './record.ts';
import { listContainers } from './records.ts';
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

export function findContainer(reference: string): ContainerRecord {
  const owner = /^[\w.-]+$/.test(reference) ? nameOwner(reference) : undefined;
  const ids =
    owner === undefined
      ? containerIds().filter((id) => reference !== '' && id.startsWith(reference))
      : [owner];
  if (ids.length > 1) {
    throw new TsboxError(
      'AMBIGUOUS_ID',
      `\`${reference}\` is the beginning of ${ids.length} containers' ids: ${ids.map((id) => id.slice(0, 12)).join(', ')}`,
    );
  }
  const record = ids[0] === undefined ? undefined : readRecord(ids[0]);
  if (record !== undefined) return record;
  const names = listContainers().map(({ name }) => name);
  throw new TsboxError(
    'NO_CONTAINER',
    `there is no container \`${reference}\`${didYouMean(reference, names)}`,
    {
      advice: '`tsbox ps -a` lists them',
    },
  );
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
