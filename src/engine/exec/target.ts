import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { closeDescriptor, TsboxError } from '../../kernel/index.ts';
import type { Spec } from '../../runtime/spec.ts';
import { readConfigAgain } from '../config-file.ts';
import { findContainer } from '../find-container.ts';
import { bootId, openProcess } from '../process-identity.ts';
import type { ContainerRecord } from '../record.ts';

/** A running container that something is done to. */
export interface Target {
  record: ContainerRecord;
  /** Not to be changed: as long as its file is the same, it is the same object. */
  spec: Spec;
  name: string;
  /** Of its PID 1, on the host. */
  pid: number;
  /** Holds on to that process; to be closed. */
  pidfd: number;
}

/**
 * Finds a container that runs.
 *
 * @throws {TsboxError} NO_CONTAINER, AMBIGUOUS_ID, NOT_RUNNING
 */
export function openTarget(reference: string): Target {
  const record = findContainer(reference);
  const pidfd = openMain(record);
  if (pidfd === undefined) throw notRunning(record);
  try {
    return { record, spec: readConfigAgain(record.id), name: record.name, pid: record.pid as number, pidfd };
  } catch (error) {
    closeDescriptor(pidfd);
    throw error;
  }
}

/** A container's PID 1, if it runs. */
export function openMain(record: ContainerRecord): number | undefined {
  const { status, pid, pidStart: start } = record;
  if (pid === undefined || (status !== 'running' && status !== 'paused')) return undefined;
  if (record.bootId !== undefined && record.bootId !== bootId()) return undefined;
  return openProcess({ pid, start });
}

/** Docker's words. */
export function notRunning({ name, status }: ContainerRecord): TsboxError {
  if (status === 'restarting')
    return new TsboxError(
      'RESTARTING',
      `container ${name} is restarting, wait until the container is running`,
    );
  return new TsboxError('NOT_RUNNING', `container ${name} is not running`);
}

/** Asked of the kernel: somebody may have paused it by other means. */
export function isFrozen({ cgroup }: ContainerRecord): boolean {
  if (cgroup === undefined) return false;
  try {
    return readFileSync(join(cgroup, 'cgroup.freeze'), 'latin1').trim() === '1';
  } catch {
    return false;
  }
}
