import { closeSync, fstatSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isOpaque } from '../../image/read-file.ts';
import {
  closeDescriptor,
  cString,
  Errno,
  O,
  openat2,
  RESOLVE,
  readXattrs,
  S,
  syscall,
  TsboxError,
} from '../../kernel/index.ts';
import type { Spec } from '../../runtime/spec.ts';
import { toContainer } from '../copy/owners.ts';
import { containersDirectory } from '../paths.ts';
import type { ContainerRecord } from '../record.ts';
import { withImageRoot } from '../volume/image-tree.ts';

/** What a container has made of a file or directory of its image: added, changed or deleted it. */
export interface Change {
  kind: 'A' | 'C' | 'D';
  /** Without a slash at the beginning; one character a byte. */
  path: string;
}

/**
 * What is different from the image, directories before what is in them. It is read from the writable layer: what is not there is as in the image. Places
 * that were made only to mount something on are no change.
 *
 * @throws {TsboxError} DIFF_UNSUPPORTED
 */
export function findChanges(record: ContainerRecord, spec: Spec): Change[] {
  const upper = openSync(join(containersDirectory(), record.id, 'upper'), O.O_RDONLY | O.O_DIRECTORY);
  try {
    return withImageRoot(record.layers ?? [], (image) => {
      const walk = new Walk(image, spec);
      walk.directory(upper, '');
      return walk.changes;
    });
  } finally {
    closeSync(upper);
  }
}

class Walk {
  readonly changes: Change[] = [];
  readonly #image: number;
  readonly #owner: ReturnType<typeof toContainer>;
  /** What something is mounted on, and the directories above. */
  readonly #places: Set<string>;

  constructor(image: number, spec: Spec) {
    this.#image = image;
    this.#owner = toContainer(spec);
    const mounted = [...spec.mounts.map(({ destination }) => destination), ...PROVIDED];
    this.#places = new Set(mounted.flatMap((path) => withParents(path.slice(1))));
  }

  directory(fd: number, path: string): void {
    const names = readdirSync(`/proc/self/fd/${fd}`, { encoding: 'buffer' }).sort(Buffer.compare);
    for (const name of names) {
      const flags = O.O_PATH | O.O_NOFOLLOW | O.O_CLOEXEC;
      const child = syscall('openat', [fd, cString(name), flags, 0], { allow: [Errno.ENOENT] });
      if (child < 0) continue;
      try {
        this.#entry(child, path === '' ? name.toString('latin1') : `${path}/${name.toString('latin1')}`);
      } finally {
        closeDescriptor(child);
      }
    }
    if (isOpaque(fd, '.')) this.#hidden(path, new Set(names.map((name) => name.toString('latin1'))));
  }

  #entry(fd: number, path: string): void {
    const stats = fstatSync(fd);
    const before = this.#below(path);
    if (stats.isCharacterDevice() && stats.rdev === 0) {
      if (before !== undefined) this.changes.push({ kind: 'D', path });
    } else if (stats.isDirectory()) this.#subdirectory(fd, path, stats, before);
    else if (before !== undefined) this.changes.push({ kind: 'C', path });
    else if (!(stats.isFile() && stats.size === 0 && this.#places.has(path)))
      this.changes.push({ kind: 'A', path });
  }

  #subdirectory(path: number, name: string, stats: Attributes, before: Attributes | undefined): void {
    const at = this.changes.length;
    const fd = openSync(`/proc/self/fd/${path}`, O.O_RDONLY | O.O_DIRECTORY);
    try {
      if (readXattrs(fd).has('trusted.overlay.redirect'))
        throw new TsboxError(
          'DIFF_UNSUPPORTED',
          `/${name} was renamed by overlayfs itself: what it has below is not in the writable layer`,
          { advice: 'turn that off: echo N > /sys/module/overlay/parameters/redirect_dir' },
        );
      this.directory(fd, name);
    } finally {
      closeSync(fd);
    }
    const wasDirectory = before !== undefined && (before.mode & S.S_IFMT) === S.S_IFDIR;
    if (this.changes.length === at) {
      if (wasDirectory && this.#same(stats, before)) return;
      if (before === undefined && this.#places.has(name)) return;
    }
    this.changes.splice(at, 0, { kind: before === undefined ? 'A' : 'C', path: name });
  }

  /** A directory that hides all of the image's: what it does not have itself is gone. */
  #hidden(path: string, own: Set<string>): void {
    const fd = openat2(this.#image, latin1(path), O.O_RDONLY | O.O_DIRECTORY, IN_IMAGE, { allow: NOT_THERE });
    if (fd < 0) return;
    try {
      for (const name of readdirSync(`/proc/self/fd/${fd}`, { encoding: 'latin1' }).sort())
        if (!own.has(name)) this.changes.push({ kind: 'D', path: `${path}/${name}` });
    } finally {
      closeDescriptor(fd);
    }
  }

  #same(now: Attributes, before: Attributes): boolean {
    return (
      now.mode === before.mode &&
      this.#owner(now.uid, 'uid') === before.uid &&
      this.#owner(now.gid, 'gid') === before.gid
    );
  }

  /** What the image has under the name. */
  #below(path: string): Attributes | undefined {
    const fd = openat2(this.#image, latin1(path), O.O_PATH | O.O_NOFOLLOW, IN_IMAGE, { allow: NOT_THERE });
    if (fd < 0) return undefined;
    try {
      return fstatSync(fd);
    } finally {
      closeDescriptor(fd);
    }
  }
}

interface Attributes {
  mode: number;
  uid: number;
  gid: number;
}

const IN_IMAGE = RESOLVE.RESOLVE_IN_ROOT | RESOLVE.RESOLVE_NO_SYMLINKS;
const NOT_THERE = [Errno.ENOENT, Errno.ENOTDIR, Errno.ELOOP];
const PROVIDED = ['/etc/hostname', '/etc/hosts', '/etc/resolv.conf'];

function withParents(path: string): string[] {
  const parts = path.split('/');
  return parts.map((_, at) => parts.slice(0, at + 1).join('/'));
}

function latin1(path: string): Buffer {
  return Buffer.from(path === '' ? '.' : path, 'latin1');
}
