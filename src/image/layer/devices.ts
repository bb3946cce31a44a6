import { shownName, unsafeArchive } from '../archive-error.ts';
import type { TarEntry } from '../tar/index.ts';

/**
 * Refuses device nodes that lead to the host's hardware: all block devices (the host's disk), and all character devices but those that every
 * container has anyway. Docker unpacks any node and relies on the device rules when a container runs; but layers lie on the host, where no rule
 * holds, and no image needs one: `/dev` is made anew for each container.
 *
 * @throws {TsboxError} UNSAFE_ARCHIVE
 */
export function checkDevice(entry: TarEntry): void {
  const { type, major, minor } = entry;
  if (type === 'character' && HARMLESS.has(`${major}:${minor}`)) return;
  throw unsafeArchive(
    `${shownName(entry.name)} is a device node of the host (${type} ${major}:${minor})`,
    'make the archive without it, with `tar --exclude=./dev/NAME`; a container gets devices with --device',
  );
}

/** null, zero, full, random, urandom, tty, console, ptmx (Linux, Documentation/admin-guide/devices.txt). */
const HARMLESS = new Set(['1:3', '1:5', '1:7', '1:8', '1:9', '5:0', '5:1', '5:2']);
