import { closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { isOpaque } from '../../image/read-file.ts';
import type { TarEntry, TarEntryType } from '../../image/tar/index.ts';
import { closeDescriptor, cString, Errno, O, openat2, RESOLVE, S, syscall } from '../../kernel/index.ts';
import { tarEntryHeader } from './tar-entry.ts';

export interface PackOptions {
  /** What a host's id is called in the archive. */
  owner: (id: number, kind: 'uid' | 'gid') => number;
  /** Directories and files that something else is mounted on are empty. */
  withoutMounts?: boolean;
  /** It is the upper directory of an overlay: what it hides is written down as in an image's layer. */
  asLayer?: boolean;
  /** Leaves out what it is false for; by the name in the archive. */
  include?: (name: string) => boolean;
}

/**
 * A file or directory as a tar archive. Every name is opened by itself and looked at once it is open, so that whoever changes the tree meanwhile
 * can change what is in the archive, but neither lead us elsewhere nor make us open a device or a FIFO (CVE-2018-15664).
 *
 * @param top what O_PATH has opened; it stays open
 * @param name what it is called in the archive; empty for the content of a directory
 */
export async function* pack(top: number, name: string, options: PackOptions): AsyncGenerator<Buffer> {
  yield* packOne(top, name, { ...options, links: new Map() }, { depth: 0, mounted: false });
  yield Buffer.alloc(1024);
}

interface Packing extends PackOptions {
  /** The name that a file with several names had first, by device and inode. */
  links: Map<string, string>;
}

/** So many directories are open at once. */
const DEEPEST = 900;

interface Place {
  depth: number;
  /** Whether it is on another mount than its directory. */
  mounted: boolean;
}

async function* packOne(fd: number, name: string, packing: Packing, place: Place): AsyncGenerator<Buffer> {
  const stats = fstatSync(fd, { bigint: true });
  const type = TYPES[Number(stats.mode) & S.S_IFMT];
  // A socket means something only to whoever listens.
  if (type === undefined) return;
  const entry: TarEntry = {
    ...{ name: type === 'directory' ? `${name || '.'}/` : name, type, linkName: '', xattrs: undefined },
    ...{ mode: Number(stats.mode) & 0o7777, mtime: stats.mtimeNs, size: 0 },
    uid: packing.owner(Number(stats.uid), 'uid'),
    gid: packing.owner(Number(stats.gid), 'gid'),
    major: Number((stats.rdev >> 8n) & 0xfffn),
    minor: Number((stats.rdev & 0xffn) | ((stats.rdev >> 12n) & 0xfff00n)),
  };
  if (packing.asLayer && type === 'character' && stats.rdev === 0n) {
    yield whiteout(name);
    return;
  }
  if (type === 'symlink') entry.linkName = readLink(fd);
  const key = `${stats.dev}:${stats.ino}`;
  const first = type === 'file' && stats.nlink > 1n ? packing.links.get(key) : undefined;
  if (place.mounted && type === 'file') yield tarEntryHeader(entry);
  else if (first !== undefined) yield tarEntryHeader({ ...entry, type: 'link', linkName: first });
  else if (type === 'file') {
    if (stats.nlink > 1n) packing.links.set(key, name);
    yield* packFile(fd, entry);
  } else {
    yield tarEntryHeader(entry);
    if (type === 'directory' && !place.mounted) yield* packDirectory(fd, name, packing, place.depth);
  }
}

const TYPES: Record<number, TarEntryType | undefined> = {
  [S.S_IFREG]: 'file',
  [S.S_IFDIR]: 'directory',
  [S.S_IFLNK]: 'symlink',
  [S.S_IFCHR]: 'character',
  [S.S_IFBLK]: 'block',
  [S.S_IFIFO]: 'fifo',
};

async function* packFile(path: number, entry: TarEntry): AsyncGenerator<Buffer> {
  // What O_PATH has opened is known to be a regular file, and this opens the same.
  const fd = openSync(`/proc/self/fd/${path}`, O.O_RDONLY | O.O_NONBLOCK | O.O_NOCTTY);
  try {
    const size = Number(fstatSync(fd).size);
    yield tarEntryHeader({ ...entry, size, xattrs: readXattrs(fd) });
    for (let done = 0; done < size; ) {
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK, size - done));
      const read = readSync(fd, chunk, 0, chunk.length, null);
      // It has become shorter: the header has promised so many bytes.
      if (read === 0) chunk.fill(0);
      yield read === 0 ? chunk : chunk.subarray(0, read);
      done += read === 0 ? chunk.length : read;
    }
    yield Buffer.alloc((512 - (size % 512)) % 512);
  } finally {
    closeSync(fd);
  }
}

const CHUNK = 256 * 1024;

async function* packDirectory(
  fd: number,
  name: string,
  packing: Packing,
  depth: number,
): AsyncGenerator<Buffer> {
  if (depth > DEEPEST) throw new Error(`too many directories in each other: ${name.slice(0, 100)}`);
  const names = readdirSync(`/proc/self/fd/${fd}`, { encoding: 'buffer' }).sort(Buffer.compare);
  const below = (child: string) => (name === '' ? child : `${name}/${child}`);
  if (packing.asLayer && isOpaque(fd, '.')) yield emptyFile(below('.wh..wh..opq'));
  for (const each of names) {
    const path = below(each.toString('latin1'));
    if (packing.include?.(path) === false) continue;
    const flags = O.O_PATH | O.O_NOFOLLOW | O.O_CLOEXEC;
    const child = syscall('openat', [fd, cString(each), flags, 0], { allow: [Errno.ENOENT] });
    if (child < 0) continue;
    try {
      const mounted = packing.withoutMounts === true && isMountPoint(fd, each);
      yield* packOne(child, path, packing, { depth: depth + 1, mounted });
    } finally {
      closeDescriptor(child);
    }
  }
}

/** Asked of the kernel: it would have to cross from one mount to another. */
export function isMountPoint(directory: number, name: Buffer): boolean {
  const resolve = RESOLVE.RESOLVE_NO_XDEV | RESOLVE.RESOLVE_BENEATH;
  const allow = [Errno.EXDEV, Errno.ENOENT];
  const fd = openat2(directory, name, O.O_PATH | O.O_NOFOLLOW, resolve, { allow });
  if (fd >= 0) closeDescriptor(fd);
  return fd === -Errno.EXDEV;
}

/** How a layer says that a name is gone (OCI image-spec, layer.md, "Whiteouts"). */
function whiteout(name: string): Buffer {
  const slash = name.lastIndexOf('/') + 1;
  return emptyFile(`${name.slice(0, slash)}.wh.${name.slice(slash)}`);
}

function emptyFile(name: string): Buffer {
  return tarEntryHeader({
    ...{ name, type: 'file', linkName: '', mode: 0o644, uid: 0, gid: 0, mtime: 0n, size: 0 },
    ...{ major: 0, minor: 0, xattrs: undefined },
  });
}

/** One character a byte. */
function readLink(fd: number): string {
  const target = Buffer.alloc(4096);
  const length = syscall('readlinkat', [fd, cString(''), target, target.length], { doing: 'read a link' });
  return target.toString('latin1', 0, length);
}

/** Those that mean something elsewhere: file capabilities and what users have written. */
function readXattrs(fd: number): Map<string, Buffer> | undefined {
  const allow = [Errno.EOPNOTSUPP, Errno.ERANGE, Errno.ENODATA, Errno.EPERM];
  const names = Buffer.alloc(65536);
  const length = syscall('flistxattr', [fd, names, names.length], { allow });
  if (length <= 0) return undefined;
  const found = new Map<string, Buffer>();
  for (const name of names.toString('latin1', 0, length).split('\0')) {
    if (name !== 'security.capability' && !/^user\.(?!overlay\.)/.test(name)) continue;
    const value = Buffer.alloc(65536);
    const size = syscall('fgetxattr', [fd, cString(Buffer.from(name, 'latin1')), value, value.length], {
      allow,
    });
    if (size >= 0) found.set(name, value.subarray(0, size));
  }
  return found;
}
