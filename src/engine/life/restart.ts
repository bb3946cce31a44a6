import { noteEvents, ofContainer } from '../events/note.ts';
import { findContainer } from '../find-container.ts';
import type { ContainerRecord } from '../record.ts';
import { updateRecord } from '../update-record.ts';
import { startContainer } from './start.ts';
import { type StopOptions, stopContainer } from './stop.ts';

/**
 * Stops a container, if it runs, and starts it.
 *
 * @throws {TsboxError} as `stopContainer` and `startContainer` do
 */
export async function restartContainer(
  reference: string,
  options: StopOptions = {},
): Promise<ContainerRecord> {
  const { id, rm } = findContainer(reference);
  // It ends, but not for good.
  if (rm) updateRecord(id, (record) => ({ ...record, rm: false }));
  try {
    await stopContainer(id, options);
    const started = await startContainer(id);
    noteEvents(ofContainer(started, 'restart'));
    return started;
  } finally {
    if (rm) updateRecord(id, (record) => ({ ...record, rm: true }));
  }
}
