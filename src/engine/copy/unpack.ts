import { fstatSync } from 'node:fs';
import { splitName } from '../../image/layer/path.ts';
import { setXattrs } from '../../image/layer/xattrs.ts';
import { ARCHIVE_LIMITS } from '../../image/limits.ts';
import { type TarEntry, TarReader } from '../../image/tar/index.ts';
import {
  AT,
  closeDescriptor,
  cString,
  deviceNumber,
  Errno,
  O,
  openat2,
  S,
  statAt,
  syscall,
  TsboxError,
} from '../../kernel/index.ts';
import { isMountPoint } from './pack.ts';

export interface UnpackOptions {
  /** Flags of RESOLVE: how directories on the way are found. */
  resolve: number;
  /** A directory below the root, where the archive's names begin. */
  base: string;
  /** What an entry is called instead; undefined to leave it out. */
  rename?: (name: string) => string;
  /** Is shown each directory (O_PATH) before something is made in it. */
  adopt?: (directory: number) => void;
  /** Who owns on the host what the archive says belongs to an id. */
  owner: (id: number, kind: 'uid' | 'gid') => number;
}

/**
 * Unpacks an archive below a directory in which somebody else may be at work: in a container that runs, or, from one, on the host. Each
 * directory is looked for anew, by a way that the kernel keeps below the root (CVE-2019-14271, CVE-2018-15664); a file is made, never
 * written through a name that is there; and once something is open only the descriptor counts.
 *
 * @returns bytes of content
 */
export async function unpack(
  source: AsyncIterable<Uint8Array>,
  root: number,
  options: UnpackOptions,
): Promise<number> {
  const reader = new TarReader(source);
  const directories: { name: string; entry: TarEntry }[] = [];
  let bytes = 0;
  for (let entry = await reader.next(); entry !== undefined; entry = await reader.next()) {
    const renamed = options.rename?.(entry.name) ?? entry.name;
    const { parent, name } = splitName(renamed, ARCHIVE_LIMITS);
    if (name === '') continue;
    const directory = openDirectory(root, joined(options.base, parent), options, true);
    try {
      options.adopt?.(directory);
      const place = { directory, name: cString(Buffer.from(name, 'latin1')) };
      if (entry.type === 'directory') {
        makeDirectory(place, entry);
        directories.push({ name: joined(options.base, joined(parent, name)), entry });
      } else {
        const mounted = takeAway(place, entry) === 'mounted';
        if (entry.type === 'file') bytes += await makeFile(place, entry, reader, options, mounted);
        else if (entry.type === 'link') makeLink(root, place, entry, options);
        else makeOther(place, entry, options);
      }
    } finally {
      closeDescriptor(directory);
    }
  }
  // At the end: each file that is made in a directory changes its time, and a directory may be one that nobody may write to.
  for (const { name, entry } of directories.reverse()) finishDirectory(root, name, entry, options);
  return bytes;
}

interface Place {
  directory: number;
  name: Buffer;
}

function openDirectory(root: number, path: string, { resolve }: UnpackOptions, make: boolean): number {
  const flags = O.O_PATH | O.O_DIRECTORY;
  const bytes = Buffer.from(`./${path}`, 'latin1');
  const context = { path: `/${path}`, doing: 'copy' };
  const found = openat2(root, bytes, flags, resolve, { ...context, allow: make ? [Errno.ENOENT] : [] });
  if (found >= 0) return found;
  // An archive may name a file without the directories above it.
  const slash = path.lastIndexOf('/');
  const parent = openDirectory(
    root,
    slash < 0 ? '' : path.slice(0, slash),
    { resolve } as UnpackOptions,
    true,
  );
  try {
    const name = cString(Buffer.from(path.slice(slash + 1), 'latin1'));
    syscall('mkdirat', [parent, name, 0o755], { ...context, allow: [Errno.EEXIST] });
  } finally {
    closeDescriptor(parent);
  }
  return openat2(root, bytes, flags, resolve, context);
}

function makeDirectory({ directory, name }: Place, entry: TarEntry): void {
  const context = { path: entry.name, doing: 'copy' };
  if (syscall('mkdirat', [directory, name, 0o700], { ...context, allow: [Errno.EEXIST] }) === 0) return;
  const there = openat2(directory, name.subarray(0, -1), O.O_PATH, 0, {
    ...context,
    allow: [Errno.ENOENT, Errno.ELOOP],
  });
  const isDirectory = there >= 0 && fstatSync(there).isDirectory();
  if (there >= 0) closeDescriptor(there);
  if (!isDirectory) throw conflict(entry, 'cannot overwrite a file with the directory');
}

/**
 * A later name wins, but a directory never goes away for something else.
 *
 * @returns `mounted` where the name must not go, as it is a mount (a volume that is a file, /etc/hosts): then a file is written over. The kernel
 *   would let it go, and the mount with it, since it is a mount in the container's namespace and not in ours (unlink(2), EBUSY)
 */
function takeAway({ directory, name }: Place, entry: TarEntry): 'gone' | 'mounted' {
  const status = statAt(directory, name.subarray(0, -1));
  if (status === undefined) return 'gone';
  if ((status.mode & S.S_IFMT) === S.S_IFDIR)
    throw conflict(entry, 'cannot overwrite a directory with the file');
  if (isMountPoint(directory, name.subarray(0, -1))) {
    if (entry.type === 'file') return 'mounted';
    throw conflict(entry, 'cannot put something else in the place of what is mounted at');
  }
  syscall('unlinkat', [directory, name, 0], { path: entry.name, doing: 'replace', allow: [Errno.ENOENT] });
  return 'gone';
}

function conflict({ name }: TarEntry, problem: string): TsboxError {
  return new TsboxError('COPY_CONFLICT', `${problem} \`${Buffer.from(name, 'latin1').toString()}\``);
}

async function makeFile(
  place: Place,
  entry: TarEntry,
  reader: TarReader,
  options: UnpackOptions,
  mounted: boolean,
): Promise<number> {
  const how = mounted ? O.O_NONBLOCK : O.O_CREAT | O.O_EXCL;
  const flags = O.O_WRONLY | O.O_NOFOLLOW | O.O_CLOEXEC | how;
  const context = { path: entry.name, doing: 'copy' };
  const fd = syscall('openat', [place.directory, place.name, flags, 0o600], context);
  try {
    if (mounted) {
      // A pipe or a device of the container's would be somebody else's to read.
      if (!fstatSync(fd).isFile()) throw conflict(entry, 'cannot overwrite what is no file:');
      syscall('ftruncate', [fd, 0], context);
    }
    let position = 0;
    await reader.content((bytes, offset) => {
      if (offset !== position) syscall('lseek', [fd, offset, 0], context);
      for (let rest = bytes; rest.length > 0; )
        rest = rest.subarray(syscall('write', [fd, rest, rest.length], context));
      position = offset + bytes.length;
    });
    if (position < entry.size) syscall('ftruncate', [fd, entry.size], context);
    setAttributes(fd, entry, options);
    return entry.size;
  } finally {
    closeDescriptor(fd);
  }
}

/** The order matters: chown(2) takes away the setuid bits and capabilities, and everything before it changes the time. */
function setAttributes(fd: number, entry: TarEntry, { owner }: UnpackOptions): void {
  const context = { path: entry.name, doing: 'copy' };
  syscall('fchown', [fd, owner(entry.uid, 'uid'), owner(entry.gid, 'gid')], context);
  syscall('fchmod', [fd, entry.mode], context);
  if (entry.xattrs) setXattrs(fd, entry.xattrs, entry.name);
  syscall('utimensat', [fd, null, times(entry.mtime), 0], context);
}

function finishDirectory(root: number, path: string, entry: TarEntry, options: UnpackOptions): void {
  const context = { path: `/${path}`, doing: 'copy' };
  const flags = O.O_RDONLY | O.O_DIRECTORY;
  const fd = openat2(root, Buffer.from(`./${path}`, 'latin1'), flags, options.resolve, context);
  try {
    setAttributes(fd, entry, options);
  } finally {
    closeDescriptor(fd);
  }
}

function makeLink(root: number, place: Place, entry: TarEntry, options: UnpackOptions): void {
  const target = splitName(options.rename?.(entry.linkName) ?? entry.linkName, ARCHIVE_LIMITS, 'hard link');
  const directory = openDirectory(root, joined(options.base, target.parent), options, false);
  try {
    const name = cString(Buffer.from(target.name, 'latin1'));
    syscall('linkat', [directory, name, place.directory, place.name, 0], { path: entry.name, doing: 'copy' });
  } finally {
    closeDescriptor(directory);
  }
}

/** What must not be opened. No call here follows a link: somebody may have put one there meanwhile. */
function makeOther({ directory, name }: Place, entry: TarEntry, { owner }: UnpackOptions): void {
  const context = { path: entry.name, doing: 'copy' };
  if (entry.type === 'symlink') {
    syscall('symlinkat', [cString(Buffer.from(entry.linkName, 'latin1')), directory, name], context);
  } else {
    const type = entry.type === 'fifo' ? S.S_IFIFO : entry.type === 'block' ? S.S_IFBLK : S.S_IFCHR;
    const device = entry.type === 'fifo' ? 0 : deviceNumber(entry.major, entry.minor);
    const before = process.umask(0);
    try {
      syscall('mknodat', [directory, name, type | entry.mode, device], context);
    } finally {
      process.umask(before);
    }
  }
  const ids = [owner(entry.uid, 'uid'), owner(entry.gid, 'gid')] as const;
  syscall('fchownat', [directory, name, ...ids, AT.AT_SYMLINK_NOFOLLOW], context);
  syscall('utimensat', [directory, name, times(entry.mtime), AT.AT_SYMLINK_NOFOLLOW], context);
}

function times(mtime: bigint): Buffer {
  const nanoseconds = ((mtime % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const bytes = Buffer.alloc(32);
  for (const offset of [0, 16]) {
    bytes.writeBigInt64LE((mtime - nanoseconds) / 1_000_000_000n, offset);
    bytes.writeBigInt64LE(nanoseconds, offset + 8);
  }
  return bytes;
}

export function joined(base: string, path: string): string {
  return base === '' ? path : path === '' ? base : `${base}/${path}`;
}
