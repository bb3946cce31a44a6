import { fstatSync, readlinkSync } from 'node:fs';
import { AT, closeDescriptor, cString, Errno, O, openat2, statAt, syscall } from '../../kernel/index.ts';
import { badArchive, plainName, shownName, unsafeArchive } from '../archive-error.ts';
import { ARCHIVE_LIMITS, type ArchiveLimits } from '../limits.ts';
import { type TarEntry, TarReader } from '../tar/index.ts';
import { type Attributes, setAttributes } from './attributes.ts';
import { checkDevice } from './devices.ts';
import {
  isDirectory,
  isWhiteout,
  makeFile,
  makeLink,
  makeNode,
  makeSmallFile,
  makeSymlink,
  type Place,
  takeAway,
} from './make.ts';
import { Parents, RESOLVE_IN_LAYER } from './parents.ts';
import { keyOf, type LayerPath, splitName } from './path.ts';
import { SmallFiles } from './small-files.ts';
import { makeOpaque, readWhiteout, whiteOut } from './whiteout.ts';

/** What was unpacked. */
export interface AppliedLayer {
  entries: number;
  /** Bytes of file content. */
  bytes: number;
  /** The directories of which the archive says nothing: those of the layers below are meant, if there are any. One character a byte. */
  implied: string[];
}

/**
 * Unpacks a layer's tar into an empty directory that nobody else touches meanwhile.
 *
 * @param source the uncompressed archive
 * @throws {TsboxError} BAD_ARCHIVE, UNSAFE_ARCHIVE; {KernelError} ENOSPC and what else the kernel says. The directory is then half full: the
 * caller removes it.
 */
export async function applyLayer(
  source: AsyncIterable<Uint8Array>,
  directory: string,
  limits: ArchiveLimits = ARCHIVE_LIMITS,
): Promise<AppliedLayer> {
  const flags = O.O_RDONLY | O.O_DIRECTORY | O.O_NOFOLLOW | O.O_CLOEXEC;
  const root = syscall('openat', [AT.AT_FDCWD, cString(directory), flags, 0], { path: directory });
  const layer = new Layer(root, source, limits);
  try {
    return await layer.apply();
  } finally {
    layer.parents.forget();
    closeDescriptor(root);
  }
}

class Layer {
  readonly parents: Parents;
  readonly #reader: TarReader;
  readonly #smallFiles: SmallFiles;
  readonly #limits: ArchiveLimits;
  /** Set at the end: each file that is made in a directory changes its time, and a default ACL would be inherited. */
  readonly #directories = new Map<string, Attributes>();

  #keptBytes = 0;

  constructor(root: number, source: AsyncIterable<Uint8Array>, limits: ArchiveLimits) {
    this.#reader = new TarReader(source, limits, () => this.#smallFiles.flush());
    this.#limits = limits;
    this.#smallFiles = new SmallFiles(root, ownerOfNew(root), ({ entry, path, content }) => {
      const at = this.#place(path);
      makeSmallFile(at, entry, content, this.#replacing(at, entry));
    });
    this.parents = new Parents(root, (path) => this.#note(path, IMPLIED));
  }

  async apply(): Promise<AppliedLayer> {
    const done = { entries: 0, bytes: 0, implied: [] };
    try {
      for (;;) {
        const entry = await this.#reader.next();
        if (entry === undefined) break;
        done.entries++;
        done.bytes += await this.#make(entry);
      }
    } finally {
      // After an error too: what is wrong with an earlier file comes first.
      this.#smallFiles.flush();
    }
    return { ...done, implied: this.#finishAll() };
  }

  async #make(entry: TarEntry): Promise<number> {
    const path = splitName(entry.name, this.#limits);
    if (path.name === '') {
      if (entry.type !== 'directory')
        throw unsafeArchive(
          `${shownName(entry.name)} would replace the root of the image by a ${entry.type}`,
        );
      this.#keep('', entry);
      return 0;
    }
    const whiteout = readWhiteout(path, entry.name);
    if (whiteout?.kind === 'ignored') return 0;
    if (whiteout === undefined && SmallFiles.takes(entry)) {
      const content = this.#reader.contentAtHand();
      if (content !== undefined) {
        this.#smallFiles.add({ entry, path, content });
        return content.length;
      }
    }
    // Each entry finds what those before it have left.
    this.#smallFiles.flush();
    const at = this.#place(path);
    if (whiteout?.kind === 'opaque')
      makeOpaque(this.parents.root, Buffer.from(path.parent, 'latin1'), entry.name);
    else if (whiteout?.kind === 'name') this.#whiteOut({ ...path, name: whiteout.name }, entry.name);
    else if (isWhiteoutEntry(entry)) this.#whiteOut(path, entry.name);
    else return await this.#makeAt(at, entry, path);
    return 0;
  }

  #whiteOut(path: LayerPath, name: string): void {
    whiteOut(this.#place(path), name);
    const key = keyOf(path);
    // The directory of the layers below is gone, and so are its attributes.
    if (this.#directories.get(key) === IMPLIED) this.#directories.set(key, { ...IMPLIED });
  }

  async #makeAt(at: Place, entry: TarEntry, path: LayerPath): Promise<number> {
    const replace = this.#replacing(at, entry);
    switch (entry.type) {
      case 'file':
        return await makeFile(at, entry, this.#reader, replace);
      case 'directory':
        this.#makeDirectory(at, entry, path);
        return 0;
      case 'symlink':
        makeSymlink(at, entry, replace);
        return 0;
      case 'link':
        this.#makeLink(at, entry, path, replace);
        return 0;
      default:
        if (entry.type !== 'fifo') checkDevice(entry);
        makeNode(at, entry, replace);
        return 0;
    }
  }

  #replacing(at: Place, entry: TarEntry): () => void {
    return () => {
      this.parents.expire();
      takeAway(at, entry);
    };
  }

  #makeDirectory(at: Place, entry: TarEntry, path: LayerPath): void {
    const context = { path: plainName(entry.name), doing: 'unpack' };
    const args = [at.directory, at.name, 0o700] as const;
    if (syscall('mkdirat', args, { ...context, allow: [Errno.EEXIST] }) < 0) {
      const name = at.name.subarray(0, -1);
      const status = statAt(at.directory, name);
      if (status && !isDirectory(status)) {
        this.parents.expire();
        takeAway(at, entry);
        syscall('mkdirat', args, context);
        // The whiteout before it said that the directory below is gone: this one is not to be merged with it.
        if (isWhiteout(status)) makeOpaque(at.directory, name, entry.name);
      }
    }
    this.#keep(keyOf(path), entry);
  }

  #keep(path: string, { mode, uid, gid, mtime, xattrs }: TarEntry): void {
    const copies = xattrs && new Map([...xattrs].map(([name, value]) => [name, Buffer.from(value)]));
    for (const [name, value] of copies ?? []) this.#keptBytes += name.length + value.length;
    this.#note(path, { mode, uid, gid, mtime, xattrs: copies });
  }

  #note(path: string, attributes: Attributes): void {
    this.#keptBytes += path.length + KEPT_WITH_EACH;
    if (this.#keptBytes > KEPT_BYTES)
      throw badArchive('the tar has too many directories, or they have too many extended attributes');
    this.#directories.set(path, attributes);
  }

  #makeLink(at: Place, entry: TarEntry, path: LayerPath, replace: () => void): void {
    const target = splitName(entry.linkName, this.#limits, 'hard link');
    if (target.name === '')
      throw unsafeArchive(`${shownName(entry.name)} is a hard link to the root of the image`);
    // `a` linked to `a`: taking the name away would take the file away.
    if (target.name === path.name && target.parent === path.parent) return;
    // Two directories at once: one has to be kept apart from the one that Parents keeps open.
    const directory = openat2(
      this.parents.root,
      fromRoot(target.parent),
      O.O_PATH | O.O_DIRECTORY,
      RESOLVE_IN_LAYER,
      {
        path: plainName(entry.linkName),
        allow: [Errno.ENOENT, Errno.ENOTDIR, Errno.ELOOP],
      },
    );
    if (directory < 0) {
      throw unsafeArchive(
        `${shownName(entry.name)} is a hard link to ${shownName(entry.linkName)}, which is not in the archive before it`,
      );
    }
    try {
      const name = cString(Buffer.from(target.name, 'latin1'));
      makeLink(at, { directory, name }, entry, replace);
    } finally {
      closeDescriptor(directory);
    }
  }

  #place(path: LayerPath): Place {
    return { directory: this.parents.open(path.parent), name: cString(Buffer.from(path.name, 'latin1')) };
  }

  /** @returns the implied directories, by the paths that lead through no symbolic link */
  #finishAll(): string[] {
    const directories = [...this.#directories].reverse();
    const implied = new Map<bigint, string>();
    // These first: the archive may describe one of them by another path, through a symbolic link.
    for (const [path, attributes] of directories) {
      if (attributes !== IMPLIED) continue;
      this.#finish(path, attributes, (fd) => implied.set(inodeOf(fd), this.#pathOf(fd) ?? path));
    }
    for (const [path, attributes] of directories) {
      if (attributes === IMPLIED) continue;
      this.#finish(path, attributes, (fd) => implied.size > 0 && implied.delete(inodeOf(fd)));
    }
    // Other paths are put before them when they are looked up: PATH_MAX is 4096.
    return [...implied.values()].filter((path) => path.length < 4000);
  }

  /** Undefined where it is too long to be told. */
  #pathOf(fd: number): string | undefined {
    const [root, path] = [this.parents.root, fd].map((each) => {
      try {
        return readlinkSync(`/proc/self/fd/${each}`, 'latin1');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENAMETOOLONG') throw error;
        return undefined;
      }
    });
    return root === undefined ? undefined : path?.slice(root.length + 1);
  }

  #finish(path: string, attributes: Attributes, also: (fd: number) => void): void {
    const flags = O.O_RDONLY | O.O_DIRECTORY;
    const fd = openat2(this.parents.root, fromRoot(path), flags, RESOLVE_IN_LAYER, {
      path: plainName(path),
      doing: 'unpack',
      // The symbolic link that led to it was replaced by a later entry.
      allow: [Errno.ENOENT, Errno.ENOTDIR, Errno.ELOOP],
    });
    if (fd < 0) return;
    try {
      setAttributes(fd, attributes, path);
      also(fd);
    } finally {
      closeDescriptor(fd);
    }
  }
}

/** What may be held in memory until the end: some 300,000 directories, or a thousand with the largest extended attributes. */
const KEPT_BYTES = 64 * 2 ** 20;
const KEPT_WITH_EACH = 128;

/** A directory that no entry describes: root's, for everyone to read, and of no particular time. The very object says that it is one. */
const IMPLIED: Attributes = { mode: 0o755, uid: 0, gid: 0, mtime: 0n, xattrs: undefined };

/** Whose new files are: this process's, if the root is. The mount option `grpid`, or a server that maps root to somebody else, shows there too. */
function ownerOfNew(root: number): { uid: number; gid: number } | undefined {
  const { uid, gid, mode } = fstatSync(root);
  const ours = uid === process.geteuid?.() && gid === process.getegid?.() && (mode & S_ISGID) === 0;
  return ours ? { uid, gid } : undefined;
}

const S_ISGID = 0o2000;

function inodeOf(fd: number): bigint {
  return fstatSync(fd, { bigint: true }).ino;
}

function isWhiteoutEntry(entry: TarEntry): boolean {
  return entry.type === 'character' && entry.major === 0 && entry.minor === 0;
}

/** The root for an empty path. */
function fromRoot(path: string): Buffer {
  return Buffer.from(`./${path}`, 'latin1');
}
