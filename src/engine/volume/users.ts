import type { ContainerRecord } from '../record.ts';
import { listContainers } from '../records.ts';

/** The containers that have a volume, whether they run or not. */
export function usersOf(name: string, containers = listContainers()): ContainerRecord[] {
  return containers.filter(({ volumes = [] }) => volumes.some((volume) => volume.name === name));
}
