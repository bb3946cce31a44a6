import { closeSync } from 'node:fs';
import { TsboxError } from '../../kernel/index.ts';
import { lockAbandoned } from '../container-directory.ts';
import { findContainer } from '../find-container.ts';
import { type ContainerRecord, readRecord } from '../record.ts';
import { requireRoot } from '../require-host.ts';
import { exitFile, readExit } from './exit-file.ts';
import { type StartRequest, startDetached } from './start-detached.ts';
import { endWait } from './stop.ts';

/**
 * Starts a container that was made before, and resolves once its program runs. One that runs already is left as it is.
 *
 * @returns its record
 * @throws {TsboxError} NO_CONTAINER, AMBIGUOUS_ID; with exit code 127 or 126 where the program is not there or cannot be run
 */
export async function startContainer(
  reference: string,
  options: StartRequest = {},
): Promise<ContainerRecord> {
  requireRoot();
  const found = findContainer(reference);
  const lock = await takeOver(found);
  if (lock === undefined) return readRecord(found.id) ?? found;
  try {
    const record = readRecord(found.id);
    if (record === undefined) throw gone(found);
    if (record.detached !== true) {
      throw new TsboxError(
        'NOT_DETACHED',
        `container ${record.name} was started by \`tsbox run\` in the foreground`,
        {
          advice: 'only what `tsbox create` or `tsbox run -d` made can be started again',
        },
      );
    }
    return await startDetached(record, lock, options);
  } finally {
    closeSync(lock);
  }
}

/** The owner's lock; undefined where the container runs. Somebody may just be starting it, or be busy with its end. */
async function takeOver(found: ContainerRecord): Promise<number | undefined> {
  for (let attempt = 0; attempt < 1000; attempt++) {
    const lock = lockAbandoned(found.id);
    if (lock !== undefined) return lock;
    const now = readRecord(found.id);
    if (now === undefined) throw gone(found);
    if (now.status === 'restarting') await endWait(now);
    else if (now.status !== 'exited' && now.status !== 'created' && readExit(exitFile(now.id)) === undefined)
      return undefined;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new TsboxError(
    'CONTAINER_BUSY',
    `container ${found.name} is being started or ended by somebody else`,
  );
}

function gone(found: ContainerRecord): TsboxError {
  return new TsboxError('NO_CONTAINER', `container ${found.name} has just been removed`);
}
