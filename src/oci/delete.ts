import { rmdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { killCgroup, removeCgroup } from '../cgroup/index.ts';
import type { TsboxError } from '../kernel/error.ts';
import { runHooks } from './hooks.ts';
import { signalInit } from './kill.ts';
import { isAlive } from './life.ts';
import { lockContainer } from './lock.ts';
import { publicState } from './public-state.ts';
import {
  checkId,
  directoryOf,
  failure,
  type Place,
  readConfigOf,
  readState,
  type StateRecord,
  statusOf,
} from './state.ts';

/**
 * Removes what is left of a container that has stopped, or was only created (as runc does, though the specification has only the former).
 *
 * @param force kills it first, and a container that is not there is as good as removed
 * @throws {TsboxError}
 */
export async function remove(
  place: Place,
  id: string,
  force: boolean,
  warn: (message: string) => void,
): Promise<void> {
  checkId(id);
  let lock: ReturnType<typeof lockContainer>;
  let state: StateRecord | undefined;
  try {
    lock = lockContainer(place, id);
  } catch (error) {
    if (force && (error as TsboxError).code === 'NO_CONTAINER') return;
    throw error;
  }
  try {
    state = readIfThere(place, id);
    const status = state === undefined ? 'stopped' : statusOf(place, state);
    if (status !== 'stopped' && status !== 'created' && !force)
      throw failure('NOT_STOPPED', `cannot delete container ${id} that is not stopped: ${status}`);
    if (state !== undefined) {
      await end(state);
      poststop(place, state, warn);
    }
    rmSync(directoryOf(place, id), { recursive: true, force: true });
  } finally {
    lock.release();
  }
}

/** One whose maker was killed at once has no state. */
function readIfThere(place: Place, id: string): StateRecord | undefined {
  try {
    return readState(place, id);
  } catch (error) {
    if ((error as TsboxError).code === 'NO_CONTAINER') return undefined;
    throw error;
  }
}

async function end(state: StateRecord): Promise<void> {
  signalInit(state, 9);
  // Those that it has left behind in the host's PID namespace too.
  killCgroup(state.cgroup);
  await removeCgroup(state.cgroup);
  if (state.unit !== undefined) await (await import('./systemd/index.ts')).stopScope(state.unit);
  for (let pause = 1; state.init !== undefined && isAlive(state.init) && pause < 5000; pause *= 2)
    await new Promise((resolve) => setTimeout(resolve, pause));
  try {
    if (dirname(state.cgroup).endsWith('/tsbox-oci')) rmdirSync(dirname(state.cgroup));
  } catch {
    // Others are in it.
  }
}

/** "If any poststop hook fails, the runtime MUST log a warning" and goes on. */
function poststop(place: Place, state: StateRecord, warn: (message: string) => void): void {
  if (!state.poststop) return;
  for (const hook of readConfigOf(place, state.id).hooks.poststop ?? []) {
    try {
      runHooks('poststop', [hook], publicState(state, 'stopped'), state.bundle);
    } catch (error) {
      warn((error as Error).message);
    }
  }
}
