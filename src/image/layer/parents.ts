import {
  closeDescriptor,
  cString,
  Errno,
  O,
  openat2,
  RESOLVE,
  S,
  statAt,
  syscall,
} from '../../kernel/index.ts';
import { plainName, shownName, unsafeArchive } from '../archive-error.ts';

/**
 * Opens the directories that entries lie in. Every path is resolved by the kernel with the layer's root as `/`, symbolic links included,
 * so that `var/run -> /run` leads where it will lead in the container, and nothing leads outside. The last one is kept
 * open: entries of one directory follow each other.
 */
export class Parents {
  readonly root: number;
  readonly #made: (path: string) => void;
  #path = '';
  #fd = -1;

  /** @param made is told of each directory that no entry has made (yet) */
  constructor(root: number, made: (path: string) => void) {
    this.root = root;
    this.#made = made;
  }

  /**
   * The descriptor of a directory (O_PATH), for *at calls. Made, with all above it, where it is not there.
   *
   * @throws {TsboxError} UNSAFE_ARCHIVE where a file or a dangling symbolic link is in the way
   */
  open(path: string): number {
    if (path === '') return this.root;
    if (path === this.#path && this.#fd >= 0) return this.#fd;
    this.forget();
    const fd = this.#find(path);
    this.#fd = fd >= 0 ? fd : this.#make(path);
    this.#path = path;
    return this.#fd;
  }

  /** Must be called whenever a name is taken away: what was opened may no longer be what its path means. It may be in use still. */
  expire(): void {
    this.#path = '';
  }

  /** Closes what is open. */
  forget(): void {
    if (this.#fd >= 0) closeDescriptor(this.#fd);
    this.#fd = -1;
  }

  #find(path: string): number {
    return openat2(this.root, Buffer.from(path, 'latin1'), O.O_PATH | O.O_DIRECTORY, RESOLVE_IN_LAYER, {
      path: plainName(path),
      doing: 'unpack',
      allow: [Errno.ENOENT, Errno.ENOTDIR, Errno.ELOOP],
    });
  }

  /** What is missing of the path, below the longest part of it that is there. */
  #make(path: string): number {
    const parts = path.split('/');
    const prefix = (count: number) => parts.slice(0, count).join('/');
    let [there, missing] = [0, parts.length];
    let parent = this.root;
    // By halves: a path of 256 parts would else be walked 256 times.
    while (missing - there > 1) {
      const middle = (there + missing) >> 1;
      const fd = this.#find(prefix(middle));
      if (fd >= 0) {
        this.#leave(parent);
        parent = fd;
        there = middle;
      } else {
        missing = middle;
      }
    }
    for (let count = missing; count <= parts.length; count++) {
      const above = parent;
      try {
        parent = this.#makeOne(above, parts[count - 1] as string, path, prefix(count));
      } finally {
        this.#leave(above);
      }
    }
    return parent;
  }

  #makeOne(parent: number, part: string, path: string, prefix: string): number {
    const name = cString(Buffer.from(part, 'latin1'));
    const context = { path: plainName(prefix), doing: 'unpack' };
    if (syscall('mkdirat', [parent, name, 0o755], { ...context, allow: [Errno.EEXIST] }) < 0) {
      // It is there and cannot be gone through. A symbolic link to what the archive does not have: containerd would make that
      // directory; but a real tree never has files behind a link to nowhere, and an attack on a less careful reader always does.
      const status = statAt(parent, name.subarray(0, -1));
      throw status && (status.mode & S.S_IFMT) === S.S_IFLNK
        ? throughLink(path, prefix)
        : inTheWay(path, prefix);
    }
    this.#made(prefix);
    return syscall(
      'openat',
      [parent, name, O.O_PATH | O.O_DIRECTORY | O.O_NOFOLLOW | O.O_CLOEXEC, 0],
      context,
    );
  }

  #leave(fd: number): void {
    if (fd !== this.root) closeDescriptor(fd);
  }
}

/** No mount lies in a layer that is being unpacked, so none is crossed. */
export const RESOLVE_IN_LAYER =
  RESOLVE.RESOLVE_IN_ROOT | RESOLVE.RESOLVE_NO_MAGICLINKS | RESOLVE.RESOLVE_NO_XDEV;

function throughLink(path: string, prefix: string): Error {
  return unsafeArchive(
    `${shownName(path)} goes through ${shownName(prefix)}, a symbolic link to something that is not in the image`,
  );
}

function inTheWay(path: string, prefix: string): Error {
  return unsafeArchive(`${shownName(path)} goes through ${shownName(prefix)}, which is not a directory`);
}
