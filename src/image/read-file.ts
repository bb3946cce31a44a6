import { closeSync, openSync, readSync } from 'node:fs';
import {
  closeDescriptor,
  cString,
  Errno,
  O,
  openat2,
  RESOLVE,
  S,
  type Status,
  statAt,
  syscall,
  TsboxError,
} from '../kernel/index.ts';
import { plainName } from './archive-error.ts';

/**
 * Reads a file as a container would see it in these layers, without mounting them: the highest layer wins, whiteouts and opaque directories hide what is
 * below, and symbolic links, absolute ones too, lead on inside the image. It never leaves the layers and never opens a FIFO or a device.
 *
 * @param layers directories, the lowest first
 * @param path in the image
 * @param maximumBytes of the file's size
 * @returns undefined where there is no such file, or it is not a regular one
 * @throws {TsboxError} FILE_TOO_LARGE
 */
export function readImageFile(
  layers: readonly string[],
  path: string,
  maximumBytes: number,
): Buffer | undefined {
  return withFile(layers, path, (fd, { size }) => {
    if (size > maximumBytes) {
      throw new TsboxError(
        'FILE_TOO_LARGE',
        `\`${plainName(path)}\` in the image is larger than ${maximumBytes} bytes`,
      );
    }
    return readAll(fd, size);
  });
}

/** Whether there is such a regular file. */
export function hasImageFile(layers: readonly string[], path: string): boolean {
  return withFile(layers, path, () => true) ?? false;
}

/** As many as the kernel follows (path_resolution(7)). */
const MOST_LINKS = 40;

function withFile<Result>(
  layers: readonly string[],
  path: string,
  use: (fd: number, status: Status) => Result,
): Result | undefined {
  const opened: number[] = [];
  try {
    // The highest first: the order in which they are asked.
    for (const layer of layers.toReversed()) {
      opened.push(openSync(layer, O.O_RDONLY | O.O_DIRECTORY | O.O_NOFOLLOW));
    }
    const found = opened.length === 1 ? findIn(opened[0] as number, path) : findMerged(opened, path);
    if (found < 0) return undefined;
    try {
      const status = statAt(found, '');
      return status && typeOf(status) === S.S_IFREG ? use(found, status) : undefined;
    } finally {
      closeDescriptor(found);
    }
  } finally {
    for (const fd of opened) closeSync(fd);
  }
}

/** One layer is a root like any other: the kernel can do it all. O_PATH opens nothing, whatever it is. */
function findIn(root: number, path: string): number {
  const resolve = RESOLVE.RESOLVE_IN_ROOT | RESOLVE.RESOLVE_NO_MAGICLINKS;
  return openat2(root, `./${path}`, O.O_PATH, resolve, { path, allow: NOT_THERE });
}

const NOT_THERE = [Errno.ENOENT, Errno.ENOTDIR, Errno.ELOOP, Errno.ENAMETOOLONG];

/** What overlayfs does (fs/overlayfs/namei.c, ovl_lookup), name by name. */
function findMerged(layers: readonly number[], path: string): number {
  const ahead = parts(Buffer.from(path).toString('latin1'));
  // The directories on the way, from the root to where we are, each with the layers that have a part in it.
  let way: { path: string; layers: readonly number[] }[] = [{ path: '.', layers }];
  let links = 0;
  for (;;) {
    const name = ahead.shift();
    if (name === undefined) return -Errno.ENOENT;
    const here = way.at(-1) as (typeof way)[number];
    if (name === '..') {
      if (way.length > 1) way.pop();
      continue;
    }
    const next = `${here.path}/${name}`;
    const { top, directories } = look(here.layers, next);
    if (directories.length > 0) {
      way.push({ path: next, layers: directories });
    } else if (top === undefined) {
      return -Errno.ENOENT;
    } else if (typeOf(top.status) === S.S_IFLNK) {
      if (++links > MOST_LINKS) return -Errno.ELOOP;
      const target = readLink(top.layer, next);
      if (target.startsWith('/')) way = way.slice(0, 1);
      ahead.unshift(...parts(target));
    } else {
      return ahead.length > 0
        ? -Errno.ENOTDIR
        : openat2(top.layer, latin1(next), O.O_PATH, RESOLVE.RESOLVE_NO_SYMLINKS);
    }
  }
}

interface Look {
  /** What is seen, if it is no directory. */
  top: { layer: number; status: Status } | undefined;
  /** The layers whose directories of this name are merged. */
  directories: number[];
}

function look(layers: readonly number[], path: string): Look {
  const directories: number[] = [];
  for (const layer of layers) {
    const status = statAt(layer, latin1(path));
    if (status === undefined) continue;
    const type = typeOf(status);
    if (type !== S.S_IFDIR) {
      const whiteout = type === S.S_IFCHR && status.major === 0 && status.minor === 0;
      return { top: whiteout || directories.length > 0 ? undefined : { layer, status }, directories };
    }
    directories.push(layer);
    if (isOpaque(layer, path)) break;
  }
  return { top: undefined, directories };
}

/** Whether a directory of a layer hides those below it. @param layer a descriptor of the layer's root */
export function isOpaque(layer: number, path: string): boolean {
  const value = Buffer.alloc(1);
  const file = cString(latin1(`/proc/self/fd/${layer}/${path}`));
  const allow = [Errno.ENODATA, Errno.EOPNOTSUPP, Errno.ERANGE, Errno.EPERM];
  const length = syscall('lgetxattr', [file, OPAQUE, value, 1], { allow });
  return length === 1 && value[0] === 0x79;
}

const OPAQUE = cString('trusted.overlay.opaque');

function readLink(layer: number, path: string): string {
  const target = Buffer.alloc(4096);
  const length = syscall('readlinkat', [layer, cString(latin1(path)), target, target.length]);
  return target.toString('latin1', 0, length);
}

function readAll(fd: number, size: number): Buffer {
  // A descriptor of O_PATH cannot be read; this opens the very same file, by now known to be a regular one.
  const readable = openSync(`/proc/self/fd/${fd}`, O.O_RDONLY | O.O_NONBLOCK | O.O_NOCTTY);
  try {
    const bytes = Buffer.alloc(size);
    let length = 0;
    while (length < size) {
      const count = readSync(readable, bytes, length, size - length, null);
      if (count === 0) break;
      length += count;
    }
    return bytes.subarray(0, length);
  } finally {
    closeSync(readable);
  }
}

function parts(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

/** Names from links have one character a byte, and so have ASCII paths. */
function latin1(path: string): Buffer {
  return Buffer.from(path, 'latin1');
}

function typeOf(status: Status): number {
  return status.mode & S.S_IFMT;
}
