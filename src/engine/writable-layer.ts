import { chownSync } from 'node:fs';
import { join } from 'node:path';
import type { Spec } from '../runtime/index.ts';

/**
 * The writable layer belongs to the container's root. overlayfs shows the owner of the uppermost directory as the owner of `/`, so with a
 * user namespace that must be an id that the namespace has.
 */
export function prepareWritableLayer(directory: string, spec: Spec): void {
  const uid = spec.linux.uidMappings?.[0]?.hostID;
  const gid = spec.linux.gidMappings?.[0]?.hostID;
  if (uid !== undefined && gid !== undefined) chownSync(join(directory, 'upper'), uid, gid);
}

/** The host's id of the program's user; 0 for the host's own root. */
export function mappedOwner(spec: Spec): number {
  const { uid } = spec.process.user;
  const map = spec.linux.uidMappings?.find(
    ({ containerID, size }) => uid >= containerID && uid < containerID + size,
  );
  return map === undefined ? uid : map.hostID + uid - map.containerID;
}
