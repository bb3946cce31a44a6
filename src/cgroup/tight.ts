import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { CgroupHost } from './host.ts';
import type { LimitWrite } from './limit-write.ts';

/**
 * Whether the kernel could run out of memory for the group while a container is being made in it. Until exec the container's process shares tsbox's
 * memory, and a process that is killed for memory takes all along that share it (mm/oom_kill.c).
 *
 * The start itself takes less than a megabyte, and somewhat more with many processors; but a group above may be full already.
 */
export function memoryIsTight(host: CgroupHost, path: string, writes: readonly LimitWrite[]): boolean {
  const own = writes.find(({ file }) => file === 'memory.max')?.value;
  if (own !== undefined && Number(own) < ROOMY) return true;
  for (let group = dirname(path); group.length > host.mountPoint.length; group = dirname(group)) {
    if (isLimited(group)) return true;
  }
  return false;
}

const ROOMY = 32 * 1024 * 1024;

/** A group without the controller has no such file, and none that is gone by now. */
function isLimited(group: string): boolean {
  const file = join(group, 'memory.max');
  if (!existsSync(file)) return false;
  try {
    return readFileSync(file, 'latin1') !== 'max\n';
  } catch {
    return false;
  }
}
