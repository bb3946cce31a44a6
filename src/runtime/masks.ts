import { statSync } from 'node:fs';
import { AT, Errno, MOVE_MOUNT, OPEN_TREE } from '../kernel/index.ts';
import { flags, named, type Slot } from '../launch/index.ts';
import { acquireFileSystem } from './mount-acquire.ts';
import { parseMountOptions } from './mount-options.ts';
import type { Stage } from './stage.ts';
import { attributes, MOUNT_ATTR_SIZE, mountAttr } from './structs.ts';

const CWD = named('AT_FDCWD', AT.AT_FDCWD);

export interface Mask {
  path: string;
  cover: Slot;
  /** Whether the cover may be of the wrong kind: a file for a directory or the reverse, which move_mount answers with EINVAL. */
  guess: boolean;
}

/**
 * Opens what will cover each masked path: the host's /dev/null for a file, an empty read-only tmpfs for a directory.
 * The host's own /dev/null, before the pivot: the container's could be something else by then (CVE-2025-31133).
 */
export function acquireMasks(host: Stage, own: Stage, paths: readonly string[]): Mask[] {
  const masks: Mask[] = [];
  for (const path of paths) {
    const kind = kernelFileKind(path);
    if (kind === 'absent') continue;
    if (kind !== 'directory') masks.push({ path, cover: hostNull(host, path), guess: kind === 'unknown' });
    if (kind !== 'file') masks.push({ path, cover: emptyDirectory(own), guess: kind === 'unknown' });
  }
  return masks;
}

/** Covers the paths. One that is not there needs none. */
export function attachMasks(stage: Stage, masks: readonly Mask[]): void {
  for (const { path, cover, guess } of masks) {
    stage.call(
      'move_mount',
      [cover, '', CWD, path, flags(MOVE_MOUNT, 'MOVE_MOUNT_F_EMPTY_PATH')],
      'hidden: it tells about the host or changes it',
      { tolerate: guess ? [Errno.ENOENT, Errno.EINVAL] : [Errno.ENOENT] },
    );
  }
}

/** Mounts each path over itself, read-only. */
export function attachReadonlyPaths(stage: Stage, paths: readonly string[]): void {
  for (const path of paths) {
    const self = stage.open(
      'readonly_view',
      'open_tree',
      [CWD, path, flags(OPEN_TREE, 'OPEN_TREE_CLONE', 'OPEN_TREE_CLOEXEC', 'AT_RECURSIVE')],
      `a second view of ${path}`,
      { tolerate: [Errno.ENOENT], skipOnError: 2 },
    );
    stage.call(
      'mount_setattr',
      [
        self,
        '',
        flags(AT, 'AT_EMPTY_PATH', 'AT_RECURSIVE'),
        mountAttr({ set: attributes(['MOUNT_ATTR_RDONLY']) }),
        MOUNT_ATTR_SIZE,
      ],
      'which nobody can write through',
    );
    stage.call(
      'move_mount',
      [self, '', CWD, path, flags(MOVE_MOUNT, 'MOVE_MOUNT_F_EMPTY_PATH')],
      `${path} is read-only`,
    );
  }
}

function hostNull(stage: Stage, path: string): Slot {
  return stage.open(
    'null',
    'open_tree',
    [CWD, '/dev/null', flags(OPEN_TREE, 'OPEN_TREE_CLONE', 'OPEN_TREE_CLOEXEC')],
    `to cover ${path}`,
  );
}

function emptyDirectory(stage: Stage): Slot {
  return acquireFileSystem(
    stage,
    'tmpfs',
    parseMountOptions('', ['ro', 'size=0k', 'mode=755', 'nr_inodes=1']),
    'tmpfs',
  );
}

/**
 * What kind of file the path is in any container: proc and sysfs are the kernel's and look alike here and there. What an image has at
 * other paths is known only inside; there the plan has a cover of both kinds, and one fits.
 */
function kernelFileKind(path: string): 'file' | 'directory' | 'absent' | 'unknown' {
  if (!/^\/(proc|sys)\//.test(path)) return 'unknown';
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return 'absent';
  return stats.isDirectory() ? 'directory' : 'file';
}
