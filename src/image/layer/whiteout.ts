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
import { isDirectory, type Place } from './make.ts';
import { RESOLVE_IN_LAYER } from './parents.ts';
import type { LayerPath } from './path.ts';

/**
 * Whiteouts: how a layer says that something of the layers below is gone. In a tar they are files named `.wh.NAME`, and
 * `.wh..wh..opq` for "all of this directory" (OCI image-spec, layer.md, "Whiteouts"); to overlayfs they are character devices 0:0, and an extended attribute.
 */
export type Whiteout = { kind: 'name'; name: string } | { kind: 'opaque' } | { kind: 'ignored' };

/** What a last part of a path says; undefined for an ordinary name. */
export function readWhiteout(path: LayerPath, name: string): Whiteout | undefined {
  if (!path.name.startsWith('.wh.')) return undefined;
  if (path.name === '.wh..wh..opq') return { kind: 'opaque' };
  // Other names of this kind are aufs's own bookkeeping (.wh..wh.plnk, .wh..wh.orph), which Docker skips too.
  if (path.name.startsWith('.wh..wh.')) return { kind: 'ignored' };
  const hidden = path.name.slice(4);
  if (hidden === '' || hidden === '.' || hidden === '..')
    throw unsafeArchive(`${shownName(name)} is a whiteout of no name`);
  return { kind: 'name', name: hidden };
}

/**
 * Hides a name of the layers below. What this layer itself has under that name stays, as the specification says; a
 * directory then hides the one below instead of adding to it.
 */
export function whiteOut(place: Place, name: string): void {
  const context = { path: plainName(name), doing: 'unpack', allow: [Errno.EEXIST] };
  if (syscall('mknodat', [place.directory, place.name, S.S_IFCHR, 0], context) >= 0) return;
  const status = statAt(place.directory, place.name.subarray(0, -1));
  if (status && isDirectory(status)) makeOpaque(place.directory, place.name.subarray(0, -1), name);
}

/** Marks a directory as one that hides all of the one below. Never through a symbolic link: the mark would land on another directory. */
export function makeOpaque(root: number, path: Uint8Array, name: string): void {
  const flags = O.O_RDONLY | O.O_DIRECTORY | O.O_NOFOLLOW;
  const context = { path: plainName(name), doing: 'unpack' };
  const fd = openat2(
    root,
    path.length === 0 ? DOT : path,
    flags,
    RESOLVE_IN_LAYER | RESOLVE.RESOLVE_NO_SYMLINKS,
    {
      ...context,
      allow: [Errno.ELOOP, Errno.ENOTDIR],
    },
  );
  if (fd < 0) throw unsafeArchive(`${shownName(name)} marks a directory through a symbolic link`);
  try {
    syscall('fsetxattr', [fd, OPAQUE, YES, 1, 0], context);
  } finally {
    closeDescriptor(fd);
  }
}

const DOT = Buffer.from('.');
const OPAQUE = cString('trusted.overlay.opaque');
const YES = Buffer.from('y');
