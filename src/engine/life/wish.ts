import { type ContainerRecord, readRecord } from '../record.ts';
import { isUnwritable } from '../unwritable.ts';
import { updateRecord } from '../update-record.ts';

/**
 * Notes in a container's record that somebody wants it to end, so that its restart policy leaves it alone. A disk that is full or read-only keeps nobody from
 * ending one that has no such policy.
 *
 * @returns the record after that; undefined where the container is gone
 * @throws {TsboxError} LOCK_TIMEOUT, ENOSPC or EROFS, where it would only be started again
 */
export function noteWish(
  record: ContainerRecord,
  change: (now: ContainerRecord) => ContainerRecord | undefined,
): ContainerRecord | undefined {
  try {
    return updateRecord(record.id, change);
  } catch (error) {
    const starts = (record.options?.restart ?? 'no') !== 'no';
    if (starts || !isUnwritable(error)) throw error;
    return readRecord(record.id);
  }
}
