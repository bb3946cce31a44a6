import { readdirSync, rmdirSync } from 'node:fs';
import { elapsed } from '../kernel/clock.ts';
import { TsboxError } from '../kernel/error.ts';
import { sleep, waitForEvent } from './kill.ts';

/**
 * Removes the group and the groups below it, which its processes may have made. Waits for processes that are dying, but kills none:
 * see `killCgroup`.
 *
 * @param milliseconds how long to wait for them. Default 10 s.
 * @throws {TsboxError} CGROUP_BUSY where processes are still in it after that
 */
export async function removeCgroup(path: string, milliseconds = 10_000): Promise<void> {
  const end = elapsed() + milliseconds;
  while (!removeCgroupNow(path)) {
    const empty = await waitForEvent(path, 'populated 0', Math.max(0, end - elapsed()));
    if (removeCgroupNow(path)) return;
    if (!empty || elapsed() >= end) {
      throw new TsboxError(
        'CGROUP_BUSY',
        `cannot remove the cgroup ${path}: there are still processes in it`,
      );
    }
    // Empty and still busy: the last process is on its way out, or a group was made below meanwhile.
    await sleep(2);
  }
}

/** One attempt, without waiting. True where the group is gone, false where something in it still lives. */
export function removeCgroupNow(path: string): boolean {
  return remove(Buffer.from(path));
}

/** Names are bytes here: whoever made a group inside a container need not have used UTF-8. */
function remove(path: Buffer): boolean {
  try {
    rmdirSync(path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENODEV') return true;
    if (code !== 'EBUSY' && code !== 'ENOTEMPTY') {
      throw new TsboxError('CGROUP_FAILED', `cannot remove the cgroup ${path}: ${code}`, { cause: error });
    }
  }
  const below = groupsIn(path);
  // Not every(): one that is busy must not keep the others.
  const gone = below.map((name) => remove(Buffer.concat([path, Buffer.from('/'), name])));
  return below.length > 0 && gone.every(Boolean) && remove(path);
}

function groupsIn(path: Buffer): Buffer[] {
  try {
    const entries = readdirSync(path, { withFileTypes: true, encoding: 'buffer' });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch {
    return [];
  }
}
