import { closeDescriptor, signalPidfd, TsboxError } from '../../kernel/index.ts';
import { noteEvents, ofContainer } from '../events/note.ts';
import { findContainer } from '../find-container.ts';
import { parseSignal } from '../options/index.ts';
import { openProcess } from '../process-identity.ts';
import type { ContainerRecord } from '../record.ts';
import { noteWish } from './wish.ts';

/**
 * Sends a signal to a container's program; SIGKILL by default. SIGKILL and the stop signal count as a wish that it ends: its restart policy then leaves it alone.
 *
 * @returns the id
 * @throws {TsboxError} NO_CONTAINER, AMBIGUOUS_ID, NOT_RUNNING, BAD_OPTION
 */
export async function killContainer(reference: string, signal: string | number = 'SIGKILL'): Promise<string> {
  const number = parseSignal('--signal', signal);
  const record = findContainer(reference);
  if (number === SIGKILL || number === (record.stopSignal ?? SIGTERM))
    noteWish(record, (now) => ({ ...now, stopRequested: true }));
  if (!signalContainer(record, number)) {
    throw new TsboxError('NOT_RUNNING', `container ${record.name} is not running`, {
      advice: '`tsbox ps` lists those that are',
    });
  }
  noteEvents(ofContainer(record, 'kill', { signal: String(number) }));
  return record.id;
}

/** False where its program does not run any more. By pidfd: a bare PID may be another process's by now. */
export function signalContainer(record: ContainerRecord, signal: number): boolean {
  if (record.pid === undefined || (record.status !== 'running' && record.status !== 'paused')) return false;
  const pidfd = openProcess({ pid: record.pid, start: record.pidStart });
  if (pidfd === undefined) return false;
  try {
    return signalPidfd(pidfd, signal);
  } finally {
    closeDescriptor(pidfd);
  }
}

const SIGKILL = 9;
const SIGTERM = 15;
