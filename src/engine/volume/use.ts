import { join, resolve } from 'node:path';
import type { Mount } from '../../runtime/spec.ts';
import type { Host } from '../host.ts';
import { volumesDirectory } from '../paths.ts';

/** A volume in a container. */
export interface VolumeUse {
  name: string;
  destination: string;
  /** Nobody named it: it goes with its container, where that is removed with its volumes. */
  anonymous?: boolean;
  readOnly?: boolean;
  /** An empty volume stays empty, whatever the image has there. */
  noCopy?: boolean;
  /** Only this directory of it is mounted; it must be there. A relative path without `..` that would lead out. */
  subpath?: string;
  /** Further words of mount(8), such as nosuid. */
  options?: string[];
}

/**
 * The mount of a volume. It is a bind mount of a directory that only root can reach, so nobody can put a link in its place. What is below that is the
 * containers': a `subpath` is resolved by the kernel, which does not let it leave the volume.
 *
 * @param mapped whether the container has other ids than the host: then the kernel translates the owners, and the volume keeps the
 *   container's own, whichever ids it has next time
 */
export function volumeMount(use: VolumeUse, mapped: boolean, host: Host): Mount {
  const options = ['rbind', 'rprivate', ...(use.readOnly ? ['rro'] : []), ...(use.options ?? [])];
  const source = volumeSource(use.name, host);
  const own = source === undefined;
  return {
    destination: use.destination,
    type: 'bind',
    source: source ?? resolve(volumesDirectory(), use.name, '_data'),
    // A directory of the host that a volume stands for has the host's owners, as with any bind mount.
    options: mapped && own ? [...options, 'idmap'] : options,
    ...(use.subpath !== undefined && { subpath: use.subpath }),
  };
}

/** The directory of the host that a volume stands for, if it was made so. */
function volumeSource(name: string, host: Host): string | undefined {
  const text = host.readText(join(volumesDirectory(), name, 'volume.json'));
  if (text === undefined) return undefined;
  try {
    const { options } = JSON.parse(text) as { options?: { device?: unknown } };
    return typeof options?.device === 'string' ? options.device : undefined;
  } catch {
    return undefined;
  }
}
