import { closeSync } from 'node:fs';
import { closeDescriptor, TsboxError } from '../../kernel/index.ts';
import { failureError, leftOpen, runPlan, type Step } from '../../launch/index.ts';
// Not through the folder's index, which `tsbox run` loads.
import { acquireOverlay } from '../../runtime/rootfs.ts';
import type { Spec } from '../../runtime/spec.ts';
import { Stage } from '../../runtime/stage.ts';
import { readConfig } from '../config-file.ts';
import { lockAbandoned } from '../container-directory.ts';
import { openContainerRoot } from '../exec/container-file.ts';
import { openMain } from '../exec/target.ts';
import { findContainer } from '../find-container.ts';
import { containersDirectory } from '../paths.ts';
import { kernelVersion } from '../prepare.ts';
import { type ContainerRecord, readRecord } from '../record.ts';

/** A container's root file system, however it was reached. */
export interface ContainerRoot {
  name: string;
  spec: Spec;
  running: boolean;
  /** A directory: everything below it is the container's. */
  fd: number;
  /** Whether owners have the container's own ids on the disk: in a volume of a container with a user namespace. */
  ownIds?: boolean;
}

/**
 * Does something with a container's root file system. Of one that runs it is what its PID 1 sees, mounts included. Of one that does not, it is its layers, as
 * a mount that is nowhere: no path of the host leads to it, nothing of the container runs, and it goes when it is closed. Meanwhile the
 * lock of its owner is held, so that nobody starts or removes it.
 *
 * @throws {TsboxError} NO_CONTAINER, AMBIGUOUS_ID, CONTAINER_BUSY
 */
export async function withContainerRoot<T>(
  reference: string,
  act: (root: ContainerRoot) => Promise<T>,
): Promise<T> {
  const { id, name } = findContainer(reference);
  for (let attempt = 0; attempt < 200; attempt++) {
    const record = readRecord(id);
    if (record === undefined) break;
    const pidfd = openMain(record);
    if (pidfd !== undefined) return await withRunning(record, pidfd, act);
    const lock = lockAbandoned(id);
    if (lock !== undefined) {
      try {
        return await withStopped(record, act);
      } finally {
        closeSync(lock);
      }
    }
    // It is about to start or to end.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new TsboxError('CONTAINER_BUSY', `container ${name} is neither running nor stopped; try again`);
}

async function withRunning<T>(
  record: ContainerRecord,
  pidfd: number,
  act: (root: ContainerRoot) => Promise<T>,
): Promise<T> {
  let fd: number;
  try {
    fd = openContainerRoot({ pid: record.pid as number, pidfd, name: record.name });
  } finally {
    closeDescriptor(pidfd);
  }
  try {
    return await act({ name: record.name, spec: readConfig(record.id), running: true, fd });
  } finally {
    closeSync(fd);
  }
}

async function withStopped<T>(record: ContainerRecord, act: (root: ContainerRoot) => Promise<T>): Promise<T> {
  const fd = mountLayers(record);
  try {
    return await act({ name: record.name, spec: readConfig(record.id), running: false, fd });
  } finally {
    closeDescriptor(fd);
  }
}

/** By the same steps as at a start, but in this thread: a mount that is attached nowhere belongs to its descriptor. */
function mountLayers(record: ContainerRecord): number {
  if (record.layers === undefined)
    throw new TsboxError(
      'NO_LAYERS',
      `container ${record.name} is of an older tsbox, which did not note its layers`,
    );
  const steps: Step[] = [];
  const directory = `${containersDirectory()}/${record.id}`;
  const root = acquireOverlay(
    new Stage(steps, 'Acquire'),
    { layers: record.layers, directory, keep: true },
    kernelVersion(),
  );
  if (steps.some(({ call }) => call === 'mount'))
    throw new TsboxError(
      'KERNEL_TOO_OLD',
      `the layers of container ${record.name} are too many for a mount without a place`,
      {
        advice: 'Linux 6.5 can do it; or start the container, and copy then',
      },
    );
  const arena = runPlan({ steps });
  const failure = arena.failure();
  for (const slot of leftOpen({ steps }, arena)) if (slot !== root) closeDescriptor(arena.slot(slot));
  if (failure !== undefined) throw failureError(failure);
  return arena.slot(root);
}
