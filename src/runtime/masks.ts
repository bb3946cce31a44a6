import { existsSync, statSync } from 'node:fs';
import { AT, Errno, MOVE_MOUNT, OPEN_TREE } from '../kernel/index.ts';
import { flags, named, octal, type Slot } from '../launch/index.ts';
import type { Stage } from './stage.ts';
import { attributes, MOUNT_ATTR_SIZE, mountAttr } from './structs.ts';

const CWD = named('AT_FDCWD', AT.AT_FDCWD);

export interface Cover {
  path: string;
  kind: 'file' | 'directory';
  /** Whether it may be of the wrong kind: a file for a directory or the reverse, which move_mount answers with EINVAL. */
  guess: boolean;
}

/** A cover that has been opened. */
export interface Mask extends Cover {
  cover: Slot;
}

/** What is to cover each masked path. */
export function chooseCovers(paths: readonly string[]): Cover[] {
  const mounted = new Map<string, boolean>();
  return paths.flatMap((path): Cover[] => {
    const kind = kernelFileKind(path, mounted);
    if (kind === 'absent') return [];
    if (kind !== 'unknown') return [{ path, kind, guess: false }];
    return [
      { path, kind: 'file', guess: true },
      { path, kind: 'directory', guess: true },
    ];
  });
}

/** The paths that `chooseCovers` looks at. */
export function pathsOfCovers(paths: readonly string[]): string[] {
  return [...paths.filter(isKernels), ...ALWAYS_THERE];
}

/**
 * Opens the covers: the host's /dev/null for a file, an empty read-only directory for a directory.
 * The host's own /dev/null, before the pivot: the container's could be something else by then (CVE-2025-31133).
 *
 * @param fileSystem a tmpfs of ours, mounted, that nothing is written to any more: a machine has a masked directory for each processor, and
 *   a file system for each of those would take longer than all the rest
 */
export function acquireMasks(
  host: Stage,
  own: Stage,
  covers: readonly Cover[],
  fileSystem: Slot | undefined,
): Mask[] {
  if (fileSystem !== undefined && covers.some(({ kind }) => kind === 'directory')) {
    own.call('mkdirat', [fileSystem, EMPTY, octal(0o755)], 'to cover directories with');
    own.call(
      'mount_setattr',
      [
        fileSystem,
        '',
        flags(AT, 'AT_EMPTY_PATH'),
        mountAttr({ set: attributes(['MOUNT_ATTR_RDONLY']) }),
        MOUNT_ATTR_SIZE,
      ],
      'and so will its clones be',
    );
  }
  return covers.map((cover) => ({
    ...cover,
    cover:
      cover.kind === 'file'
        ? hostNull(host, cover.path)
        : emptyDirectory(own, fileSystem as Slot, cover.path),
  }));
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

function emptyDirectory(stage: Stage, fileSystem: Slot, path: string): Slot {
  return stage.open(
    'empty',
    'open_tree',
    [fileSystem, EMPTY, flags(OPEN_TREE, 'OPEN_TREE_CLONE', 'OPEN_TREE_CLOEXEC')],
    `to cover ${path}`,
  );
}

/**
 * What kind of file the path is in any container: proc and sysfs are the kernel's and look alike here and there. What an image has at
 * other paths is known only inside; there the plan has a cover of both kinds, and one fits.
 */
function kernelFileKind(
  path: string,
  mounted: Map<string, boolean>,
): 'file' | 'directory' | 'absent' | 'unknown' {
  if (!isKernels(path)) return 'unknown';
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats !== undefined) return stats.isDirectory() ? 'directory' : 'file';
  // A /proc with `subset=pid`, or none at all, says nothing about the container's.
  const always = ALWAYS_THERE[path.startsWith('/proc/') ? 0 : 1];
  const there = mounted.get(always) ?? existsSync(always);
  mounted.set(always, there);
  return there ? 'absent' : 'unknown';
}

function isKernels(path: string): boolean {
  return /^\/(proc|sys)\//.test(path);
}

const ALWAYS_THERE = ['/proc/version', '/sys/kernel'] as const;
const EMPTY = 'masked';
