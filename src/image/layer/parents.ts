import { closeDescriptor, cString, Errno, O, openat2, RESOLVE, syscall } from '../../kernel/index.ts';
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

  #make(path: string): number {
    const parts = path.split('/');
    let parent = this.root;
    for (let count = 1; count <= parts.length; count++) {
      const prefix = parts.slice(0, count).join('/');
      let fd = this.#find(prefix);
      if (fd === -Errno.ENOENT) {
        const name = cString(Buffer.from(parts[count - 1] as string, 'latin1'));
        const context = { path: plainName(prefix), doing: 'unpack', allow: [Errno.EEXIST] };
        // It is there and is not: a symbolic link to what the archive does not have. containerd would make that directory; but a
        // real tree never has files behind a link to nowhere, and an attack on a less careful reader always does.
        if (syscall('mkdirat', [parent, name, 0o755], context) < 0) throw throughLink(path, prefix);
        this.#made(prefix);
        fd = this.#find(prefix);
      }
      if (parent !== this.root) closeDescriptor(parent);
      if (fd < 0) throw inTheWay(path, prefix);
      parent = fd;
    }
    return parent;
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
