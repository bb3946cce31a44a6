import { join } from 'node:path';
import { storeRoot } from '../kernel/store-root.ts';

export { storeRoot };

/** One directory a container, by id: its record, its writable layer, its lock. */
export function containersDirectory(): string {
  const root = storeRoot();
  if (root !== containers.root) containers = { root, path: join(root, 'containers') };
  return containers.path;
}

/** Joined once: a list of a thousand containers asks for it three thousand times. */
let containers = { root: '', path: '' };

/** One symbolic link a name, to the id: made in one step that fails where the name is taken. */
export function namesDirectory(): string {
  return join(storeRoot(), 'names');
}

/** One directory a volume, by name: `_data`, which containers see, and `volume.json`. */
export function volumesDirectory(): string {
  return join(storeRoot(), 'volumes');
}
