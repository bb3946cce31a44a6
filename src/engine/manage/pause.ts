import { existsSync } from 'node:fs';
import { freezeCgroup, thawCgroup } from '../../cgroup/index.ts';
import { closeDescriptor, TsboxError } from '../../kernel/index.ts';
import { noteEvents, ofContainer } from '../events/note.ts';
import { notRunning, openMain } from '../exec/target.ts';
import { findContainer } from '../find-container.ts';
import type { ContainerRecord } from '../record.ts';
import { updateRecord } from '../update-record.ts';

/**
 * Holds all processes of a container still, and resolves when they are.
 *
 * @returns the id
 * @throws {TsboxError} NO_CONTAINER, AMBIGUOUS_ID, NOT_RUNNING, PAUSED, CGROUP_FAILED where they do not stop within 10 s; then they go on
 */
export async function pauseContainer(reference: string): Promise<string> {
  const { id } = findContainer(reference);
  let frozen: Promise<void> = Promise.resolve();
  const paused = updateRecord(id, (record) => {
    const group = groupOf(record);
    if (record.status === 'paused')
      throw new TsboxError('PAUSED', `container ${record.name} is already paused`);
    // With the lock held: `exec` looks at this under the same lock, and must not find half of it.
    frozen = whileThere(record, group, () => freezeCgroup(group));
    return { ...record, status: 'paused' };
  });
  if (paused === undefined) throw gone(reference);
  try {
    await frozen;
  } catch (error) {
    updateRecord(id, (record) => (record.status === 'paused' ? { ...record, status: 'running' } : undefined));
    throw error;
  }
  noteEvents(ofContainer(paused, 'pause'));
  return id;
}

/**
 * Lets them go on.
 *
 * @returns the id
 * @throws {TsboxError} NO_CONTAINER, AMBIGUOUS_ID, NOT_RUNNING, NOT_PAUSED
 */
export function unpauseContainer(reference: string): string {
  const { id } = findContainer(reference);
  const running = updateRecord(id, (record) => {
    const group = groupOf(record);
    if (record.status !== 'paused')
      throw new TsboxError('NOT_PAUSED', `container ${record.name} is not paused`);
    whileThere(record, group, () => thawCgroup(group));
    return { ...record, status: 'running' };
  });
  if (running === undefined) throw gone(reference);
  noteEvents(ofContainer(running, 'unpause'));
  return id;
}

/** It may end at any moment, and its group with it. */
function whileThere<T>(record: ContainerRecord, group: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw existsSync(group) ? error : notRunning(record);
  }
}

function groupOf(record: ContainerRecord): string {
  const pidfd = openMain(record);
  if (pidfd === undefined) throw notRunning(record);
  closeDescriptor(pidfd);
  if (record.cgroup !== undefined) return record.cgroup;
  throw new TsboxError(
    'NO_CGROUP',
    `container ${record.name} has no cgroup, and only a cgroup can be paused`,
  );
}

/** It was removed while we waited for it. */
export function gone(reference: string): TsboxError {
  return new TsboxError('NO_CONTAINER', `there is no container \`${reference}\` any more`);
}
