import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Lock, lockFile } from '../kernel/index.ts';
import { directoryOf, failure, type Place } from './state.ts';

/** Holds a container's directory locked: whoever changes what it is. It ends with the process. @throws {TsboxError} NO_CONTAINER */
export function lockContainer(place: Place, id: string): Lock {
  const directory = directoryOf(place, id);
  const gone = () => failure('NO_CONTAINER', `container ${id} does not exist`);
  if (!existsSync(directory)) throw gone();
  const lock = lockFile(join(directory, 'lock'), 'exclusive');
  if (existsSync(directory)) return lock;
  lock.release();
  throw gone();
}
