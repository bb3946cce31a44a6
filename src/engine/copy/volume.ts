import { closeSync, constants, openSync, statSync } from 'node:fs';
import { posix } from 'node:path';
import { TsboxError } from '../../kernel/index.ts';
import { openSubpath } from '../volume/subpath.ts';
import type { ContainerRoot } from './root.ts';

/**
 * For a path in a volume of a container that does not run, and whose volumes are therefore not mounted: the volume as a root of its own,
 * and the path in it. Also for what is written to the volume of one that runs with a user namespace: through its mount the kernel lets only ids of that
 * namespace make files (mount_setattr(2), MOUNT_ATTR_IDMAP). Symbolic links in it end at its own root.
 *
 * @param write whether something is to be changed there
 * @throws {TsboxError} READ_ONLY
 */
export async function inVolume<T>(
  root: ContainerRoot,
  path: string,
  write: boolean,
  act: (root: ContainerRoot, path: string) => Promise<T>,
): Promise<T> {
  const plain = posix.join('/', path);
  const volume = root.spec.mounts
    .filter(
      ({ type, options = [] }) => type === 'bind' || options.includes('bind') || options.includes('rbind'),
    )
    .filter(({ destination }) => plain === destination || plain.startsWith(`${destination}/`))
    .sort((a, b) => b.destination.length - a.destination.length)[0];
  if (root.running && !(write && volume?.options?.includes('idmap'))) return await act(root, path);
  if (volume?.source === undefined || !statSync(volume.source, { throwIfNoEntry: false })?.isDirectory()) {
    if (write && root.spec.root.readonly)
      throw new TsboxError('READ_ONLY', `the root file system of container ${root.name} is marked read-only`);
    return await act(root, path);
  }
  if (write && volume.options?.includes('ro'))
    throw new TsboxError('READ_ONLY', `the volume at ${volume.destination} is marked read-only`);
  const { source, subpath } = volume;
  const fd =
    subpath === undefined
      ? openSync(source, constants.O_RDONLY | constants.O_DIRECTORY)
      : openSubpath(`the volume at ${volume.destination}`, source, subpath);
  try {
    // What is after the name says whether a directory or its content is meant, and stays.
    const slashes = /\/\.?$/.exec(path)?.[0] ?? '';
    const ownIds = volume.options?.includes('idmap') === true;
    return await act({ ...root, fd, ownIds }, `/${plain.slice(volume.destination.length)}${slashes}`);
  } finally {
    closeSync(fd);
  }
}
