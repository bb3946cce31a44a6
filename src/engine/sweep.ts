import { closeSync, existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { findCgroup, killCgroup, removeCgroupNow } from '../cgroup/index.ts';
import { elapsed } from '../kernel/clock.ts';
import { staleLeases } from '../network/store/lease.ts';
import { lockAbandoned, nameOwner, releaseName, removeContainerDirectory } from './container-directory.ts';
import { type NewEvent, noteEvents, ofContainer, ofVolumes } from './events/note.ts';
import { exitFile, readExit } from './life/exit-file.ts';
import { restartDelay } from './life/restart-policy.ts';
import { disconnected } from './network/disconnected.ts';
import { releaseNetwork } from './network/release.ts';
import { containersDirectory, namesDirectory } from './paths.ts';
import { bootId } from './process-identity.ts';
import { type ContainerRecord, containerIds, readRecord } from './record.ts';
import { currentRecord, endedRecord, knownRecord, lookAtAll, newestFirst } from './records.ts';
import { isUnwritable } from './unwritable.ts';
import { updateRecord } from './update-record.ts';
import { discardVolumes } from './volume/discard.ts';

/**
 * Removes what tsbox processes left that were killed: the containers whose lock is free although their record does not say that they ended.
 * Harmless at any time and any number of times: what somebody holds the lock of is not touched.
 *
 * @param options.strict whether it is an error where that cannot be written down: on a disk that is full or read-only, or while somebody has the container
 *   locked. Default false: who only happened to come by leaves it to the next one.
 */
export function sweep(options: { strict?: boolean } = {}): void {
  sweepAll(options);
}

/** The same, unless this process has done so within the last second: who removes a thousand containers need not look at a thousand each time. */
export function sweepNowAndThen(): void {
  if (elapsed() - swept > 1000) sweep();
}

let swept = Number.NEGATIVE_INFINITY;

/** `sweep` and `listContainers`, with one look at each. */
export function sweepAndList(): ContainerRecord[] {
  return newestFirst(sweepAll({}));
}

function sweepAll({ strict = false }: { strict?: boolean }): ContainerRecord[] {
  const failures: unknown[] = [];
  const attempt = (act: () => void) => {
    try {
      act();
    } catch (error) {
      if (!isUnwritable(error)) throw error;
      failures.push(error);
    }
  };
  const records = lookAtAll().flatMap((look) => {
    const known = knownRecord(look);
    if (known === undefined) attempt(() => sweepOne(look.name));
    return known ?? currentRecord(look.name) ?? [];
  });
  // A name that is in a record is none that was left.
  attempt(() => sweepNames(new Set(records.map(({ name }) => name))));
  const left = new Set(containerIds());
  // One that has been made since has leases too.
  attempt(() => staleLeases((id) => left.has(id) || existsSync(join(containersDirectory(), id))));
  swept = elapsed();
  if (strict && failures.length > 0) throw failures[0];
  return records;
}

/** What `sweep` does, for one container. */
export function sweepOne(id: string): void {
  const lock = lockAbandoned(id);
  if (lock !== undefined) sweepLocked(id, lock);
}

/** @param lock the owner's, which was free; closed as soon as nobody needs it */
function sweepLocked(id: string, lock: number): void {
  let promised: ContainerRecord | undefined;
  try {
    promised = sweepContainer(id, readRecord(id));
  } finally {
    if (promised === undefined) closeSync(lock);
  }
  if (promised === undefined) return;
  // Should this process end before, the next sweep finds it so.
  import('./life/resume.ts')
    .then(({ resume }) => resume(promised, lock))
    .catch(() => {})
    .finally(() => closeSync(lock));
}

/** @returns the container, where its restart policy wants it started again: somebody must wait for that */
function sweepContainer(id: string, record: ContainerRecord | undefined): ContainerRecord | undefined {
  if (record?.status === 'exited') return;
  // Without a record it died before the limits were known, let alone a group of another parent.
  if (!endCgroup(record?.cgroup ?? defaultCgroup(id), id)) return;
  if (record?.network?.leases.length) releaseNetwork(record);
  // It was made, and its start was not even tried, or failed.
  if (record?.detached && record.status === 'created') {
    if (record.network?.leases.length) updateRecord(id, disconnected, PATIENCE);
    return;
  }
  if (record === undefined || record.rm) {
    if (record !== undefined) {
      const died = ofContainer(record, 'die', { exitCode: '137' });
      noteEvents(...unmounted(record), died, ofContainer(record, 'destroy'));
      discardVolumes(record);
    }
    removeContainerDirectory(id, record?.name);
    return;
  }
  const waits = record.status === 'restarting';
  if (waits && isPromised(record)) return record;
  // Its monitor has written down how it ended, or was killed itself: then nobody knows.
  const exit = waits ? undefined : readExit(exitFile(id));
  const error = exit === undefined && record.detached && !waits;
  const change = (now: ContainerRecord) => ({
    ...afterEnd(now, endedRecord(now, exit)),
    ...(error && { error: 'its monitor was killed, and the container with it' }),
  });
  const ended = updateRecord(id, change, PATIENCE);
  if (ended === undefined) return;
  noteEvents(
    ...(record === undefined ? [] : unmounted(record)),
    ofContainer(ended, 'die', { exitCode: String(ended.exitCode ?? 137) }),
  );
  return ended.status === 'restarting' ? ended : undefined;
}

/** Nothing where its volumes were not mounted: it waited for its restart, or was never started. */
function unmounted(before: ContainerRecord): NewEvent[] {
  return before.status === 'running' || before.status === 'paused' ? ofVolumes(before, 'unmount') : [];
}

/** Whoever was to restart it was killed, and so may the one before have been: its policy holds all the same, until the machine's next boot. */
function afterEnd(before: ContainerRecord, ended: ContainerRecord): ContainerRecord {
  if (!isPromised(before)) return ended;
  const ranFor = Date.parse(ended.finished ?? '') - Date.parse(before.started ?? '');
  const delay = restartDelay(before, { code: ended.exitCode ?? 137, ranFor });
  if (delay === undefined) return ended;
  const restartCount = (before.restartCount ?? 0) + 1;
  return { ...ended, status: 'restarting', restartDelay: delay, restartCount };
}

function isPromised({ detached, options, stopRequested, bootId: boot }: ContainerRecord): boolean {
  return detached === true && (options?.restart ?? 'no') !== 'no' && !stopRequested && boot === bootId();
}

/** Whether nothing lives in it any more. */
function endCgroup(path: string | undefined, id: string): boolean {
  // The path is read from a file: it must at least be a group of this container.
  if (path === undefined || basename(path) !== id) return true;
  for (let attempt = 0; attempt < 100; attempt++) {
    if (removeCgroupNow(path)) return true;
    killCgroup(path);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
  }
  return false;
}

function defaultCgroup(id: string): string | undefined {
  try {
    return join(findCgroup().mountPoint, 'tsbox', id);
  } catch {
    return undefined;
  }
}

/**
 * A name is taken before and given back after its container's directory is there, so it may lead nowhere. Who is killed while it renames a container
 * leaves it with two: its record says which one counts.
 *
 * @param good names that are in records, and need not be looked at
 */
function sweepNames(good: ReadonlySet<string>): void {
  let names: string[];
  try {
    names = readdirSync(namesDirectory());
  } catch {
    return;
  }
  const owned = new Map<string, string[]>();
  for (const name of names) {
    if (good.has(name)) continue;
    const owner = nameOwner(name);
    if (owner !== undefined) owned.set(owner, [...(owned.get(owner) ?? []), name]);
  }
  // Asked after the names: a container that is being made has its directory before its name, and its record after it.
  const ids = new Set(containerIds());
  for (const [id, all] of owned) {
    if (!ids.has(id)) for (const name of all) releaseName(name, id);
    else if (readRecord(id) !== undefined) keepOneName(id, all);
  }
}

/** With the state lock, under which a container is renamed. */
function keepOneName(id: string, names: readonly string[]): void {
  const release = (record: ContainerRecord) => {
    for (const name of names) if (name !== record.name) releaseName(name, id);
    return undefined;
  };
  updateRecord(id, release, PATIENCE);
}

/** Seconds. Nobody who came to do something else should wait longer for one who hangs. */
const PATIENCE = 1;
