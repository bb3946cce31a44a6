import { fstatSync } from 'node:fs';
import { AT, closeDescriptor, cString, O, syscall } from '../../kernel/index.ts';
import type { IdMapping } from '../../runtime/spec.ts';
import { toHost } from './owners.ts';
import type { ContainerRoot } from './root.ts';

/**
 * For a container with a user namespace that does not run. While it runs, the image's layers are shown to it with its own ids; while it does not, they are mounted
 * with those that they have on the disk, and a directory that overlayfs copies up, because something is made in it, would keep them in the writable
 * layer: in the container it would be nobody's. So such a directory, and those above it, get their owners' ids on the host first.
 *
 * @returns what is to be shown each directory in which something is made; undefined where ids are not mapped
 */
export function adopter(root: ContainerRoot): ((directory: number) => void) | undefined {
  const { uidMappings = [], gidMappings = [] } = root.spec.linux;
  if (uidMappings.length === 0) return undefined;
  const owner = toHost(root.spec);
  const done = new Set<number>();
  const top = fstatSync(root.fd).ino;
  return (directory) => {
    let at = directory;
    try {
      for (;;) {
        const { ino, uid, gid } = fstatSync(at);
        if (done.has(ino)) return;
        if (!isMapped(uid, uidMappings) || !isMapped(gid, gidMappings)) {
          const ids = [
            isMapped(uid, uidMappings) ? uid : owner(uid, 'uid'),
            isMapped(gid, gidMappings) ? gid : owner(gid, 'gid'),
          ] as const;
          syscall('fchownat', [at, cString(''), ...ids, AT.AT_EMPTY_PATH], { doing: 'copy' });
        }
        done.add(fstatSync(at).ino);
        if (ino === top) return;
        // Nobody else is in there: what is above it stays above it, and above the root is the root.
        const flags = O.O_PATH | O.O_DIRECTORY | O.O_CLOEXEC;
        const above = syscall('openat', [at, cString('..'), flags, 0], { doing: 'copy' });
        if (at !== directory) closeDescriptor(at);
        at = above;
      }
    } finally {
      if (at !== directory) closeDescriptor(at);
    }
  };
}

/** Whether a host's id is one of the container's. */
function isMapped(id: number, mappings: readonly IdMapping[]): boolean {
  return mappings.some(({ hostID, size }) => id >= hostID && id < hostID + size);
}
