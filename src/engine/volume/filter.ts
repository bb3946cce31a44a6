import type { VolumeRecord } from './store.ts';
import { usersOf } from './users.ts';

/** All of them must hold; of several values of one, any. */
export interface VolumeFilters {
  /** `true`: those that no container has. */
  dangling?: boolean;
  driver?: string[];
  /** `KEY` or `KEY=VALUE`. */
  label?: string[];
  'label!'?: string[];
  /** A part of the name. */
  name?: string[];
}

export function fitsFilters(volume: VolumeRecord, filters: VolumeFilters): boolean {
  const { dangling, driver, label, name } = filters;
  const has = (wanted: string) => {
    const equals = wanted.indexOf('=');
    const key = equals < 0 ? wanted : wanted.slice(0, equals);
    if (!Object.hasOwn(volume.labels, key)) return false;
    return equals < 0 || volume.labels[key] === wanted.slice(equals + 1);
  };
  if (driver !== undefined && !driver.includes(volume.driver)) return false;
  if (name !== undefined && !name.some((part) => volume.name.includes(part))) return false;
  if (label !== undefined && !label.every(has)) return false;
  if (filters['label!']?.some(has)) return false;
  return dangling === undefined || (usersOf(volume.name).length === 0) === dangling;
}
