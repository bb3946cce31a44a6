import { chownSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { ProvidedFile, Spec } from '../../runtime/index.ts';
import { containersDirectory } from '../paths.ts';

/**
 * /etc/hosts and the others of a container that is in a network are files of its directory on the host, shown inside as mounts: what is in /etc/hosts changes while
 * it runs, and a plan that has no addresses in it is the same tomorrow.
 */
export function onHost(files: readonly ProvidedFile[], id: string): ProvidedFile[] {
  return files.map((file) => ({ ...file, source: join(containersDirectory(), id, basename(file.path)) }));
}

/** Writes those files before a start. New ones each time: a container that shares the network of one that has ended still has the old ones. */
export function writeHostFiles(files: readonly ProvidedFile[], { linux }: Spec): void {
  const uid = linux.uidMappings?.[0]?.hostID;
  const gid = linux.gidMappings?.[0]?.hostID;
  for (const { source, content, mode } of files) {
    if (source === undefined) continue;
    rmSync(source, { force: true });
    writeFileSync(source, content, { mode, flag: 'wx' });
    if (uid !== undefined && gid !== undefined) chownSync(source, uid, gid);
  }
}
