import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  findCgroup,
  type LimitWrite,
  limitWrites,
  requireControllers,
  requireFiles,
} from '../../cgroup/index.ts';
import { TsboxError } from '../../kernel/index.ts';
import { readConfig, rewriteConfig } from '../config-file.ts';
import { noteEvents, ofContainer } from '../events/note.ts';
import { findContainer } from '../find-container.ts';
import { thisHost } from '../host.ts';
import { parseRestartPolicy } from '../life/restart-policy.ts';
import type { ContainerRecord } from '../record.ts';
import type { RunOptions } from '../run-options.ts';
import { buildResources } from '../spec/resources.ts';
import { updateRecord } from '../update-record.ts';
import { gone } from './pause.ts';

/** What can be changed of a container that exists. */
export type UpdateOptions = Pick<
  RunOptions,
  | 'blkioWeight'
  | 'cpuPeriod'
  | 'cpuQuota'
  | 'cpuShares'
  | 'cpuWeight'
  | 'cpus'
  | 'cpusetCpus'
  | 'cpusetMems'
  | 'memory'
  | 'memoryReservation'
  | 'memorySwap'
  | 'pidsLimit'
  | 'restart'
>;

/**
 * Changes a container's limits, at once where it runs, and its restart policy. What is not mentioned stays as it is.
 *
 * @returns the id
 * @throws {TsboxError} NO_CONTAINER, AMBIGUOUS_ID, BAD_OPTION, BAD_LIMIT, LIMIT_UNAVAILABLE; then nothing has changed
 */
export function updateContainer(reference: string, changes: UpdateOptions): string {
  const { id } = findContainer(reference);
  if (changes.restart !== undefined) parseRestartPolicy(changes.restart);
  const updated = updateRecord(id, (record) => {
    if (changes.restart !== undefined && changes.restart !== 'no' && record.rm)
      throw new TsboxError('BAD_OPTION', '--restart cannot be combined with the --rm of the container');
    const options = merge(record.options ?? {}, changes);
    const resources = buildResources(options, thisHost);
    const before = limitWrites(buildResources(record.options ?? {}, thisHost));
    const writes = limitWrites(resources).filter(
      ({ file, value }) => !before.some((write) => write.file === file && write.value === value),
    );
    const undo = apply(record, writes);
    try {
      const config = readConfig(id);
      const { devices } = config.linux.resources ?? {};
      config.linux.resources = { ...(devices && { devices }), ...resources };
      rewriteConfig(id, config);
    } catch (error) {
      undo();
      throw error;
    }
    return { ...record, options };
  });
  if (updated === undefined) throw gone(reference);
  noteEvents(ofContainer(updated, 'update'));
  return id;
}

/** Two ways to say the same: the one that is given now takes the place of the other. */
function merge(own: RunOptions, changes: UpdateOptions): RunOptions {
  const { cpus, cpuQuota, cpuPeriod, cpuShares, cpuWeight, ...rest } = own;
  const time =
    changes.cpus !== undefined || changes.cpuQuota !== undefined ? {} : { cpus, cpuQuota, cpuPeriod };
  const weight =
    changes.cpuShares !== undefined || changes.cpuWeight !== undefined ? {} : { cpuShares, cpuWeight };
  const merged: Record<string, unknown> = { ...rest, ...time, ...weight, ...changes };
  for (const [name, value] of Object.entries(merged)) if (value === undefined) delete merged[name];
  return merged;
}

/** Writes the limits of a container that runs, all or none. */
function apply(record: ContainerRecord, limits: readonly LimitWrite[]): () => void {
  const { cgroup } = record;
  const possible = requireControllers(findCgroup(), limits);
  if (cgroup === undefined || (record.status !== 'running' && record.status !== 'paused')) return () => {};
  const done: { file: string; value: string }[] = [];
  const undo = () => {
    for (const { file, value } of done.reverse()) write(cgroup, file, value);
  };
  for (const { file, value, limit } of requireFiles(cgroup, possible)) {
    const path = join(cgroup, file);
    try {
      const before = readFileSync(path, 'latin1').trim();
      writeFileSync(path, value, { flag: 'r+' });
      done.push({ file, value: before });
    } catch (error) {
      undo();
      const { code } = error as NodeJS.ErrnoException;
      throw new TsboxError('BAD_LIMIT', `the kernel does not take ${value} for ${limit} (${path}: ${code})`);
    }
  }
  return undo;
}

function write(cgroup: string, file: string, value: string): void {
  try {
    writeFileSync(join(cgroup, file), value, { flag: 'r+' });
  } catch {
    // The container has ended meanwhile.
  }
}
