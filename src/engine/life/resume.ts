import { selfCommand } from '../../kernel/index.ts';
import type { ContainerRecord } from '../record.ts';
import { updateRecord } from '../update-record.ts';
import { startMonitor } from './monitor-process.ts';

/**
 * Has somebody wait for a container's restart: a process of a few kilobytes (`monitor sleep`), which then becomes `tsbox system restart ID`.
 *
 * @param lock the owner's, which that process has from now on; it is not closed here
 */
export function resume(record: ContainerRecord, lock: number): void {
  const command = [...selfCommand(), 'system', 'restart', record.id];
  const delay = String(record.restartDelay ?? 0);
  const monitor = startMonitor(new Map([[3, lock]]), ['sleep', delay, ...command]);
  updateRecord(record.id, (now) => ({ ...now, monitor }));
}
