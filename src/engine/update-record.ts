import { existsSync, linkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { containersDirectory } from './paths.ts';
import { type ContainerRecord, isWhole, readRecord, writeRecord } from './record.ts';
import { withStateLock } from './state-lock.ts';

/**
 * Changes a container's record: reads it, lets `change` say what it should be, and writes that, with the state lock held all the while. However
 * many do so at once, no change is lost.
 *
 * What was there before is kept beside it until the next change, `container.json.old`: after a power failure, of a file that was replaced,
 * the old or the new content may be missing, but not both.
 *
 * @param change gets the record as it is now; what it returns is written, and undefined leaves it as it is. It must be synchronous
 * @param seconds how long to wait for others that change it, default 10
 * @returns the record as it is after that; undefined where the container is gone
 * @throws {TsboxError} LOCK_TIMEOUT
 */
export function updateRecord(
  id: string,
  change: (record: ContainerRecord) => ContainerRecord | undefined,
  seconds?: number,
): ContainerRecord | undefined {
  return withStateLock(
    id,
    () => {
      const before = readRecord(id);
      if (before === undefined) return undefined;
      const after = change(before);
      if (after === undefined) return before;
      try {
        if (isWhole(id)) keepOld(id);
        writeRecord(after);
      } catch (error) {
        // Removed by its owner between the two.
        if (!existsSync(join(containersDirectory(), id, 'container.json'))) return undefined;
        throw error;
      }
      return after;
    },
    seconds,
  );
}

function keepOld(id: string): void {
  const file = join(containersDirectory(), id, 'container.json');
  rmSync(`${file}.old`, { force: true });
  try {
    linkSync(file, `${file}.old`);
  } catch (error) {
    // A file system without hard links has no second copy.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw error;
  }
}
