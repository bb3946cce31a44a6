import { closeSync, existsSync } from 'node:fs';
import { thawCgroup } from '../../cgroup/index.ts';
import { closeDescriptor, signalPidfd } from '../../kernel/index.ts';
import type { ExitStatus } from '../container.ts';
import { lockAbandoned } from '../container-directory.ts';
import { noteEvents, ofContainer } from '../events/note.ts';
import { findContainer } from '../find-container.ts';
import { parseSignal } from '../options/index.ts';
import { openProcess } from '../process-identity.ts';
import type { ContainerRecord } from '../record.ts';
import { updateRecord } from '../update-record.ts';
import { signalContainer } from './kill.ts';
import { untilSettled } from './settled.ts';
import { waitFor } from './wait.ts';
import { noteWish } from './wish.ts';

export interface StopOptions {
  /** Seconds until SIGKILL; -1 for never. Default: the container's own, else 10. */
  timeout?: number;
  /** What is sent first. Default: the container's own, else the image's, else SIGTERM. */
  signal?: string | number;
  /** For the machine's shutdown: what its restart policy promises then holds after the boot. */
  resume?: boolean;
}

/**
 * Asks a container to end, and kills it where it does not in time. Its restart policy leaves it alone until somebody starts it. One that does not run stays as it is.
 *
 * @throws {TsboxError} NO_CONTAINER, AMBIGUOUS_ID, BAD_OPTION
 */
export async function stopContainer(reference: string, options: StopOptions = {}): Promise<ExitStatus> {
  const found = findContainer(reference);
  const signal =
    options.signal === undefined ? (found.stopSignal ?? 15) : parseSignal('--signal', options.signal);
  const timeout = options.timeout ?? found.stopTimeout ?? 10;
  // Before the signal: a program that ends at once must not be started again.
  const record = noteWish(found, (now) =>
    isLive(now) ? { ...now, stopRequested: true, resume: options.resume ?? false } : undefined,
  );
  if (record === undefined || !isLive(record)) return waitFor(record ?? found);
  if (record.status === 'restarting') return endWait(record);
  sendAndTell(record, signal);
  if (record.status === 'paused' && record.cgroup !== undefined) thaw(record.cgroup);
  if (timeout >= 0) {
    const status = await waitFor(record, timeout * 1000);
    if (status !== undefined) return stopped(record, status);
    sendAndTell(record, 9);
  }
  return stopped(record, await waitFor(record));
}

/** What is held still gets no signal. It may have ended just now, and its group with it. */
function thaw(group: string): void {
  try {
    thawCgroup(group);
  } catch (error) {
    if (existsSync(group)) throw error;
  }
}

function sendAndTell(record: ContainerRecord, signal: number): void {
  if (signalContainer(record, signal)) noteEvents(ofContainer(record, 'kill', { signal: String(signal) }));
}

async function stopped(record: ContainerRecord, status: ExitStatus): Promise<ExitStatus> {
  await untilSettled(record);
  noteEvents(ofContainer(record, 'stop'));
  return status;
}

export function isLive({ status }: ContainerRecord): boolean {
  return status === 'running' || status === 'paused' || status === 'restarting';
}

/** One that waits for its restart: whoever sleeps for it is woken for good. */
export async function endWait(record: ContainerRecord): Promise<ExitStatus> {
  if (record.monitor !== undefined) {
    const pidfd = openProcess(record.monitor);
    if (pidfd !== undefined) {
      signalPidfd(pidfd, 9);
      closeDescriptor(pidfd);
    }
  }
  for (let attempt = 0; attempt < 500; attempt++) {
    const lock = lockAbandoned(record.id);
    if (lock !== undefined) {
      const now = updateRecord(record.id, ({ monitor: _, ...rest }) =>
        rest.status === 'restarting' ? { ...rest, status: 'exited' } : undefined,
      );
      closeSync(lock);
      return waitFor(now ?? record);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return waitFor(record);
}
