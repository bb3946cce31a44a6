import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Lock } from '../kernel/flock.ts';
import { lockWithin } from '../kernel/lock-within.ts';
import { directoryOf, failure, type Place } from './state.ts';

/**
 * Holds a container's directory locked: whoever changes what it is. It ends with the process.
 *
 * @throws {TsboxError} NO_CONTAINER, LOCK_TIMEOUT with the name of who has it
 */
export function lockContainer(place: Place, id: string): Lock {
  const directory = directoryOf(place, id);
  const gone = () => failure('NO_CONTAINER', `container ${id} does not exist`);
  if (!existsSync(directory)) throw gone();
  // As long as hooks may take, which run under it; conmon and containerd's shim give up later.
  const lock = lockWithin(join(directory, 'lock'), `the container ${id}`, 60);
  if (existsSync(directory)) return lock;
  lock.release();
  throw gone();
}
