import { closeSync } from 'node:fs';
import { type Look, lookInto } from '../kernel/index.ts';
import { lockAbandoned } from './container-directory.ts';
import { EXIT, type Exit, exitFile, readExit } from './life/exit-file.ts';
import { disconnected } from './network/disconnected.ts';
import { containersDirectory } from './paths.ts';
import { type ContainerRecord, containerIds, FILE, parseRecord, readRecord } from './record.ts';

/** All containers on this machine, newest first. One whose tsbox was killed is shown as exited (137), as it is. */
export function listContainers(): ContainerRecord[] {
  return newestFirst(
    lookAtAll()
      .map((look) => knownRecord(look) ?? currentRecord(look.name))
      .filter((record) => record !== undefined),
  );
}

/** What can be seen of all containers from outside, by one call. */
export function lookAtAll(): Look[] {
  return lookInto(containersDirectory(), containerIds(), { read: FILE, size: EXIT });
}

/** The container as it is, where that can be seen from outside: it has ended, or somebody takes care of it. Otherwise undefined. */
export function knownRecord({ name: id, text, locked, size }: Look): ContainerRecord | undefined {
  const record = text === undefined ? undefined : parseRecord(id, text);
  if (record === undefined || record.status === 'exited') return record;
  if (!locked) return undefined;
  return size === 0 ? record : ownedRecord(record);
}

export function newestFirst(records: ContainerRecord[]): ContainerRecord[] {
  return records.sort((a, b) => (a.created < b.created ? 1 : -1));
}

/** The ranges of host ids that containers with a user namespace have, so that `--userns auto` chooses another. */
export function idRangesInUse(): { hostID: number; size: number }[] {
  return listContainers().flatMap(({ idRange }) => idRange ?? []);
}

/**
 * A container as it is, which its record does not say yet where its end is only a moment ago, or where whoever took care of it was killed.
 * Undefined where there is none, or it is about to be removed.
 */
export function currentRecord(id: string): ContainerRecord | undefined {
  const record = readRecord(id);
  if (record === undefined || record.status === 'exited') return record;
  // It was made, and nobody has started it yet: nobody need take care of it.
  if (record.detached && record.status === 'created') return record;
  const lock = lockAbandoned(id);
  if (lock === undefined) return ownedRecord(record);
  closeSync(lock);
  // It is being read while it is swept: what is about to be removed need not be shown.
  return record.rm ? undefined : endedRecord(record, exitOf(record));
}

/** The same for one that somebody takes care of, who may not have written down yet that it has ended. */
export function ownedRecord(record: ContainerRecord): ContainerRecord {
  if (record.status === 'exited' || record.status === 'created') return record;
  const exit = exitOf(record);
  const again = (record.options?.restart ?? 'no') !== 'no' && !record.stopRequested;
  return exit === undefined || again ? record : endedRecord(record, exit);
}

function exitOf({ id, detached, status }: ContainerRecord): Exit | undefined {
  return detached && status !== 'restarting' ? readExit(exitFile(id)) : undefined;
}

/** What becomes of the record of one that has ended, where nobody was there to apply its restart policy. */
export function endedRecord(record: ContainerRecord, exit: Exit | undefined): ContainerRecord {
  const { pid: _, pidStart: __, monitor: ___, ...rest } = record;
  const waited = record.status === 'restarting';
  const code = exit?.code ?? (waited ? (record.exitCode ?? 137) : 137);
  return {
    ...disconnected(rest),
    status: 'exited',
    exitCode: code,
    finished: exit?.finished ?? (waited ? record.finished : undefined) ?? new Date().toISOString(),
    ...(exit && { oomKilled: exit.oomKills > 0 && code === 137 }),
  };
}

/** The container that uses the image, one that runs before one that does not. */
export function imageUser(image: { id: string }): { id: string; name: string; running: boolean } | undefined {
  const users = listContainers()
    .filter((record) => record.imageId === image.id)
    .map(({ id, name, status }) => ({ id, name, running: !['created', 'exited', 'dead'].includes(status) }));
  return users.find(({ running }) => running) ?? users[0];
}
