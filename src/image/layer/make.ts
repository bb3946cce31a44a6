import {
  closeDescriptor,
  cString,
  deviceNumber,
  Errno,
  O,
  S,
  type Status,
  statAt,
  syscall,
} from '../../kernel/index.ts';
import { plainName, shownName, unsafeArchive } from '../archive-error.ts';
import type { TarEntry, TarReader } from '../tar/index.ts';
import { setAttributes, setAttributesAt } from './attributes.ts';

/** Where an entry is to be made: an open directory and a NUL-terminated name in it. */
export interface Place {
  directory: number;
  name: Buffer;
}

/**
 * Makes a regular file and fills it. O_EXCL, because an existing name may be a symbolic link, which must not be written through, or a hard
 * link to another file of the image, whose content must not change.
 *
 * @param replace takes an existing name away
 * @returns bytes of content
 */
export async function makeFile(
  place: Place,
  entry: TarEntry,
  reader: TarReader,
  replace: () => void,
): Promise<number> {
  const fd = createFile(place, entry, replace);
  const context = { path: plainName(entry.name), doing: 'unpack' };
  try {
    let written = 0;
    let position = 0;
    await reader.content((bytes, offset) => {
      if (offset !== position) syscall('lseek', [fd, offset, SEEK_SET], context);
      writeAll(fd, bytes, context);
      position = offset + bytes.length;
      written += bytes.length;
    });
    if (position < entry.size) syscall('ftruncate', [fd, entry.size], context);
    setAttributes(fd, entry, entry.name);
    return written;
  } finally {
    closeDescriptor(fd);
  }
}

/** The same with content that is at hand. */
export function makeSmallFile(place: Place, entry: TarEntry, content: Buffer, replace: () => void): void {
  const fd = createFile(place, entry, replace);
  try {
    writeAll(fd, content, { path: plainName(entry.name), doing: 'unpack' });
    setAttributes(fd, entry, entry.name);
  } finally {
    closeDescriptor(fd);
  }
}

/** As `makeFile` opens it. */
export const NEW_FILE = O.O_WRONLY | O.O_CREAT | O.O_EXCL | O.O_NOFOLLOW | O.O_CLOEXEC;

function createFile(place: Place, entry: TarEntry, replace: () => void): number {
  return orReplace(replace, (allow) =>
    syscall('openat', [place.directory, place.name, NEW_FILE, 0o600], {
      path: plainName(entry.name),
      doing: 'unpack',
      allow,
    }),
  );
}

/** Makes a symbolic link. Its target is kept as it is: it means something only in the container. */
export function makeSymlink(place: Place, entry: TarEntry, replace: () => void): void {
  const shown = shownName(entry.name);
  if (entry.linkName === '') throw unsafeArchive(`${shown} is a symbolic link to nothing`);
  const target = cString(Buffer.from(entry.linkName, 'latin1'));
  orReplace(replace, (allow) =>
    syscall('symlinkat', [target, place.directory, place.name], {
      path: plainName(entry.name),
      doing: 'unpack',
      allow,
    }),
  );
  setAttributesAt(place.directory, place.name, entry);
}

/** Makes a device node or a FIFO. */
export function makeNode(place: Place, entry: TarEntry, replace: () => void): void {
  const type = entry.type === 'fifo' ? S.S_IFIFO : S.S_IFCHR;
  const device = entry.type === 'fifo' ? 0 : deviceNumber(entry.major, entry.minor);
  orReplace(replace, (allow) =>
    syscall('mknodat', [place.directory, place.name, type | 0o600, device], {
      path: plainName(entry.name),
      doing: 'unpack',
      allow,
    }),
  );
  setAttributesAt(place.directory, place.name, entry);
}

/** Makes a hard link to a file that an earlier entry made. A symbolic link at the end of the target is linked itself, not followed. */
export function makeLink(place: Place, target: Place, entry: TarEntry, replace: () => void): void {
  const shown = shownName(entry.name);
  const status = statAt(target.directory, target.name.subarray(0, -1));
  if (status === undefined) {
    throw unsafeArchive(
      `${shown} is a hard link to ${shownName(entry.linkName)}, which is not in the archive before it`,
    );
  }
  if (isDirectory(status))
    throw unsafeArchive(`${shown} is a hard link to the directory ${shownName(entry.linkName)}`);
  orReplace(replace, (allow) =>
    syscall('linkat', [target.directory, target.name, place.directory, place.name, 0], {
      path: plainName(entry.name),
      doing: 'unpack',
      allow,
    }),
  );
}

/** A name that is there already: the later entry wins, but a directory never goes away for something else. */
export function takeAway(place: Place, entry: TarEntry): Status | undefined {
  const status = statAt(place.directory, place.name.subarray(0, -1));
  if (status === undefined) return undefined;
  if (isDirectory(status)) {
    throw unsafeArchive(
      `${shownName(entry.name)} is twice in the archive, first as a directory, then as a ${entry.type}`,
    );
  }
  syscall('unlinkat', [place.directory, place.name, 0], { path: plainName(entry.name), doing: 'unpack' });
  return status;
}

export function isDirectory(status: Status): boolean {
  return (status.mode & S.S_IFMT) === S.S_IFDIR;
}

/** An overlay's mark for a name that is not there (Documentation/filesystems/overlayfs.rst, "whiteouts and opaque directories"). */
export function isWhiteout(status: Status): boolean {
  return (status.mode & S.S_IFMT) === S.S_IFCHR && status.major === 0 && status.minor === 0;
}

function orReplace(replace: () => void, make: (allow: number[]) => number): number {
  const result = make([Errno.EEXIST]);
  if (result >= 0) return result;
  replace();
  return make([]);
}

function writeAll(fd: number, bytes: Buffer, context: { path: string; doing: string }): void {
  for (let rest = bytes; rest.length > 0; ) {
    rest = rest.subarray(syscall('write', [fd, rest, rest.length], context));
  }
}

const SEEK_SET = 0;
