import { closeSync, fstatSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { sleep } from '../../cgroup/kill.ts';
import { syscall, TsboxError } from '../../kernel/index.ts';
import { lockAbandoned, removeContainerDirectory } from '../container-directory.ts';
import { noteEvents, ofContainer, ofVolumes } from '../events/note.ts';
import { disconnected } from '../network/disconnected.ts';
import { releaseNetwork } from '../network/release.ts';
import { containersDirectory } from '../paths.ts';
import { bootId, identify } from '../process-identity.ts';
import { type ContainerRecord, readRecord } from '../record.ts';
import { discardCgroup } from '../start.ts';
import { updateRecord } from '../update-record.ts';
import { discardVolumes } from '../volume/discard.ts';
import { exitFile, readExit } from './exit-file.ts';
import { restartDelay } from './restart-policy.ts';
import { resume } from './resume.ts';
import { startDetached } from './start-detached.ts';

/**
 * What follows a container's end: `tsbox system ended ID`, which its monitor becomes. It is recorded, and then removed or started again, or neither.
 * The monitor's lock on the directory comes along as descriptor 3; whoever types the command gets a lock of his own, if it is free.
 *
 * @throws {TsboxError} NO_CONTAINER, CONTAINER_RUNNING
 */
export async function ended(id: string): Promise<void> {
  const lock = inheritLock(id);
  try {
    const record = readRecord(id);
    if (record === undefined) return;
    await discardCgroup(record.cgroup);
    const exit = readExit(exitFile(id));
    // The start was killed before there was a program; who was waiting for it is gone too.
    if (exit === undefined && record.status !== 'running' && record.status !== 'paused')
      return settleUnstarted(record);
    // Before its end is on record, so that after a crash in between it is done again.
    releaseNetwork(record);
    const after = updateRecord(id, (now) => disconnected(recordEnd(now, exit)));
    if (after === undefined) return;
    noteDeath(after);
    if (after.status === 'restarting') await waitForRestart(after, lock);
    else if (after.rm) discard(after);
  } finally {
    closeSync(lock);
  }
}

/** `tsbox system restart ID`: the wait is over. */
export async function restartNow(id: string): Promise<void> {
  const lock = inheritLock(id);
  try {
    const record = readRecord(id);
    if (record?.status === 'restarting') await startAgain(record, lock);
  } finally {
    closeSync(lock);
  }
}

function noteDeath(record: ContainerRecord): void {
  const { exitCode = 137, oomKilled, started, finished } = record;
  const lived = Math.max(0, Math.floor((Date.parse(finished ?? '') - Date.parse(started ?? '')) / 1000)) || 0;
  noteEvents(
    ...(oomKilled ? [ofContainer(record, 'oom')] : []),
    ...ofVolumes(record, 'unmount'),
    ofContainer(record, 'die', { exitCode: String(exitCode), execDuration: String(lived) }),
  );
}

function discard(record: ContainerRecord): void {
  noteEvents(ofContainer(record, 'destroy'));
  discardVolumes(record);
  removeContainerDirectory(record.id, record.name);
}

function recordEnd(record: ContainerRecord, exit: ReturnType<typeof readExit>): ContainerRecord {
  const { pid: _, pidStart: __, monitor: ___, ...rest } = record;
  const code = exit?.code ?? 137;
  const finished = exit?.finished ?? new Date().toISOString();
  const ranFor = Date.parse(finished) - Date.parse(record.started ?? finished);
  const delay = restartDelay(record, { code, ranFor });
  const end = {
    ...rest,
    exitCode: code,
    finished,
    // A program that lives on after one of its children was killed says so itself, by its own status.
    oomKilled: (exit?.oomKills ?? 0) > 0 && code === 137,
  };
  if (delay === undefined) return { ...end, status: 'exited' };
  return {
    ...end,
    status: 'restarting',
    restartDelay: delay,
    restartCount: (record.restartCount ?? 0) + 1,
    monitor: identify(process.pid),
    bootId: bootId(),
  };
}

function settleUnstarted(record: ContainerRecord): void {
  releaseNetwork(record);
  if (record.rm) discard(record);
  else if (record.status === 'restarting' || record.network?.leases.length)
    updateRecord(record.id, (now) =>
      disconnected({ ...now, status: now.status === 'restarting' ? 'exited' : now.status }),
    );
}

/** A short time is waited for here; through a long one, a process of a few kilobytes sleeps instead of this one of many megabytes. */
async function waitForRestart(record: ContainerRecord, lock: number): Promise<void> {
  const delay = record.restartDelay ?? 0;
  if (delay <= 1000) {
    await sleep(delay);
    return startAgain(record, lock);
  }
  resume(record, lock);
}

async function startAgain(record: ContainerRecord, lock: number): Promise<void> {
  const now = readRecord(record.id);
  if (now === undefined || now.status !== 'restarting') return;
  if (now.stopRequested) {
    updateRecord(record.id, ({ monitor: _, ...rest }) => ({ ...rest, status: 'exited' }));
    return;
  }
  try {
    await startDetached(now, lock, { restarts: now.restartCount ?? 0 });
  } catch {
    // Its record says why.
    updateRecord(record.id, ({ monitor: _, ...rest }) => ({ ...rest, status: 'exited' }));
  }
}

function inheritLock(id: string): number {
  if (isDirectoryOf(INHERITED, id)) {
    syscall('fcntl', [INHERITED, F_SETFD, 1], { doing: 'keep the lock to ourselves' });
    return INHERITED;
  }
  const lock = lockAbandoned(id);
  if (lock !== undefined) return lock;
  if (readRecord(id) === undefined)
    throw new TsboxError('NO_CONTAINER', `there is no container ${id.slice(0, 12)}`);
  throw new TsboxError('CONTAINER_RUNNING', `container ${id.slice(0, 12)} has not ended`);
}

function isDirectoryOf(fd: number, id: string): boolean {
  try {
    const [open, named] = [fstatSync(fd), statSync(join(containersDirectory(), id))];
    return open.dev === named.dev && open.ino === named.ino;
  } catch {
    return false;
  }
}

/** The descriptor that native/monitor.c leaves open. */
const INHERITED = 3;
const F_SETFD = 2;
