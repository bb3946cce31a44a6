import { TsboxError } from '../kernel/index.ts';
import { nameOwner } from './container-directory.ts';
import { didYouMean } from './options/index.ts';
import { type ContainerRecord, containerIds, readRecord } from './record.ts';
import { listContainers } from './records.ts';

/**
 * The container that a person means: by name, id, or the beginning of an id that no other has. A name wins over the beginning of an id, as in Docker.
 *
 * @throws {TsboxError} NO_CONTAINER, AMBIGUOUS_ID
 */
export function findContainer(reference: string): ContainerRecord {
  const owner = /^[\w.-]+$/.test(reference) ? nameOwner(reference) : undefined;
  const ids = owner === undefined ? idsFor(reference) : [owner];
  if (ids.length > 1) {
    const candidates = ids.map((id) => `${id.slice(0, 12)} (${readRecord(id)?.name ?? 'being made'})`);
    throw new TsboxError(
      'AMBIGUOUS_ID',
      `\`${reference}\` is the beginning of ${ids.length} containers' ids: ${candidates.join(', ')}`,
    );
  }
  const record = ids[0] === undefined ? undefined : readRecord(ids[0]);
  if (record !== undefined) return record;
  const names = listContainers().map(({ name }) => name);
  throw new TsboxError(
    'NO_CONTAINER',
    `there is no container \`${reference}\`${didYouMean(reference, names)}`,
    {
      advice: '`tsbox ps -a` lists them',
    },
  );
}

/** A whole id, as programs have it, needs no look at all the others. */
function idsFor(reference: string): string[] {
  if (/^[0-9a-f]{64}$/.test(reference)) return [reference];
  return containerIds().filter((id) => reference !== '' && id.startsWith(reference));
}
