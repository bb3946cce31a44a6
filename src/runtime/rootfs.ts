import {
  AT,
  FSCONFIG,
  FSMOUNT,
  FSOPEN,
  MNT,
  MOUNT_ATTR,
  MOVE_MOUNT,
  MS,
  O,
  OPEN_TREE,
  RESOLVE,
  TsboxError,
} from '../kernel/index.ts';
import { flags, named, type Slot } from '../launch/index.ts';
import { PROPAGATION } from './mount-options.ts';
import type { Stage } from './stage.ts';
import { MOUNT_ATTR_SIZE, mountAttr } from './structs.ts';

/** Where the container's files come from. */
export interface OverlayRootfs {
  /** Absolute directories, lowest first. */
  layers: readonly string[];
  /**
   * The directory that holds `upper` and `work`: what the container writes. With a user namespace `upper` must belong to the container's root
   * (overlayfs works with the host root's id in it, which an id-mapped view could not store).
   */
  directory: string;
  /** Whether the writable layer outlives the container. If not, it need not be synced to disk when it is unmounted. */
  keep: boolean;
}

const CWD = named('AT_FDCWD', AT.AT_FDCWD);

/** Stops mounts from travelling between the host and the copy of its mount namespace that this process was cloned into. */
export function detachPropagation(
  stage: Stage,
  propagation: 'MS_SLAVE' | 'MS_SHARED' | 'MS_PRIVATE' = 'MS_SLAVE',
): void {
  stage.call(
    'mount_setattr',
    [
      CWD,
      '/',
      flags(AT, 'AT_RECURSIVE'),
      mountAttr({ propagation: flags(MS, propagation) }),
      MOUNT_ATTR_SIZE,
    ],
    'no mount of ours reaches the host',
  );
}

/**
 * The image's layers as one writable tree (overlayfs), a detached mount.
 *
 * `lowerdir+` names one layer a call (Linux 6.5). Before, all layers are one string, which fsconfig cuts at 255 bytes and mount(2) at a page.
 */
export function acquireOverlay(
  stage: Stage,
  rootfs: OverlayRootfs,
  kernel: { major: number; minor: number },
): Slot {
  const topFirst = [...rootfs.layers].reverse();
  const eachByItself = kernel.major > 6 || (kernel.major === 6 && kernel.minor >= 5);
  const joined = topFirst.map((layer) => layer.replace(/[\\:]/g, '\\$&')).join(':');
  if (!eachByItself && Buffer.byteLength(joined) > 255) return overlayByMount(stage, rootfs, joined);
  const context = stage.open(
    'overlay_fs',
    'fsopen',
    ['overlay', flags(FSOPEN, 'FSOPEN_CLOEXEC')],
    "the image's layers as one tree",
  );
  const set = (key: string, value: string, why: string) =>
    stage.call('fsconfig', [context, flags(FSCONFIG, 'FSCONFIG_SET_STRING'), key, value, 0], why);
  set('source', 'overlay', 'what /proc/mounts will call it');
  if (eachByItself) for (const layer of topFirst) set('lowerdir+', layer, 'a layer of the image, read only');
  else set('lowerdir', joined, "the image's layers, read only");
  set('upperdir', `${rootfs.directory}/upper`, 'what the container writes goes here (copy on write)');
  set(
    'workdir',
    `${rootfs.directory}/work`,
    'where overlayfs prepares a copy before it renames it into place',
  );
  if (!rootfs.keep) {
    stage.call(
      'fsconfig',
      [context, flags(FSCONFIG, 'FSCONFIG_SET_FLAG'), 'volatile', null, 0],
      'nothing of it is kept, so nothing need be synced to disk',
    );
  }
  stage.call('fsconfig', [context, flags(FSCONFIG, 'FSCONFIG_CMD_CREATE'), null, null, 0], 'create it');
  return stage.open(
    'rootfs',
    'fsmount',
    [context, flags(FSMOUNT, 'FSMOUNT_CLOEXEC'), 0],
    'the root filesystem, mounted nowhere yet',
  );
}

function overlayByMount(stage: Stage, rootfs: OverlayRootfs, lower: string): Slot {
  // One level of escapes serves both who splits the options at commas and who splits the layers at colons.
  const directory = rootfs.directory.replace(/[\\,]/g, '\\$&');
  const data = `lowerdir=${lower.replaceAll(',', '\\,')},upperdir=${directory}/upper,workdir=${directory}/work${rootfs.keep ? '' : ',volatile'}`;
  if (Buffer.byteLength(data) > 4095) {
    throw new TsboxError(
      'TOO_MANY_LAYERS',
      `an image of ${rootfs.layers.length} layers is too much for this kernel's overlayfs`,
      {
        advice: 'Linux 6.5 and newer take up to 500 layers; or make the image smaller',
      },
    );
  }
  stage.call(
    'mount',
    ['overlay', rootfs.directory, 'overlay', 0, data],
    "the image's layers as one tree, in this mount namespace only",
  );
  return stage.open(
    'rootfs',
    'open_tree',
    [CWD, rootfs.directory, flags(OPEN_TREE, 'OPEN_TREE_CLONE', 'OPEN_TREE_CLOEXEC')],
    'the root filesystem as a detached mount',
  );
}

/** A directory that is used as it is (a bundle's rootfs): a path without symlinks. The mount, and what it is a view of. */
export function acquireDirectory(stage: Stage, path: string): { rootfs: Slot; directory: Slot } {
  const how = Buffer.alloc(24);
  const open = flags(O, 'O_PATH', 'O_DIRECTORY', 'O_CLOEXEC');
  how.writeBigUInt64LE(BigInt(open.value), 0);
  how.writeBigUInt64LE(BigInt(RESOLVE.RESOLVE_NO_SYMLINKS), 16);
  const directory = stage.open(
    'bundle_rootfs',
    'openat2',
    [CWD, path, { bytes: how, text: `{flags=${open.text}, resolve=RESOLVE_NO_SYMLINKS}` }, how.length],
    'the directory, if nobody has put a symlink in its way since it was looked at',
  );
  const rootfs = stage.open(
    'rootfs',
    'open_tree',
    [
      directory,
      '',
      flags(OPEN_TREE, 'OPEN_TREE_CLONE', 'OPEN_TREE_CLOEXEC', 'AT_EMPTY_PATH', 'AT_RECURSIVE'),
    ],
    'the root filesystem, as a mount of its own',
  );
  return { rootfs, directory };
}

/**
 * Mounts over the old root's /proc, in this namespace only. What is mounted nowhere cannot be cloned (until Linux 6.15), nothing below needs
 * the host's /proc any more, and the place goes away with the old root: unmounting it by itself would wait for RCU, a millisecond.
 * Not over the root: there it would be what the unmount after the pivot takes off, in place of the host.
 */
export function coverHostProc(stage: Stage, mount: Slot): void {
  attachOver(
    stage,
    mount,
    '/proc',
    'a place for it while its parts are cloned; it goes away with the old root',
  );
}

function attachOver(stage: Stage, mount: Slot, path: string, why: string): void {
  stage.call('move_mount', [mount, '', CWD, path, flags(MOVE_MOUNT, 'MOVE_MOUNT_F_EMPTY_PATH')], why);
}

/**
 * Makes the detached mount the root and drops the host's. pivot_root(2) puts the old root over the new one (both are "."), and
 * the unmount takes it off again: from then on no path leads to the host. chroot would leave the old root within reach of CAP_SYS_CHROOT.
 */
export function pivot(stage: Stage, rootfs: Slot, byChroot = false): void {
  // Paths are still resolved in what lies below, as that is where this process's root is.
  attachOver(
    stage,
    rootfs,
    '/',
    "pivot_root wants a mount point; over the host's root, in this namespace only",
  );
  stage.call('fchdir', [rootfs], 'stand in the new root');
  if (byChroot) {
    stage.call('chroot', ['.'], 'the new root is the root; the host is below it, where no path leads');
    stage.call('chdir', ['/'], 'stand in it by name');
    return;
  }
  stage.call('pivot_root', ['.', '.'], "the new root is the root; the host's lies over it");
  stage.call('umount2', ['.', flags(MNT, 'MNT_DETACH')], 'the host is gone');
  stage.call('chdir', ['/'], 'stand in the root that is left');
}

/** Whether mounts that are made in the container later, or in what it was mounted from, travel (config-linux.md, "Rootfs Mount Propagation"). */
export function propagateRoot(stage: Stage, word: string): void {
  const known = PROPAGATION[word];
  if (known === undefined) return;
  const recursive = word.startsWith('r') ? flags(AT, 'AT_RECURSIVE') : 0;
  stage.call(
    'mount_setattr',
    [CWD, '/', recursive, mountAttr({ propagation: flags(MS, known) }), MOUNT_ATTR_SIZE],
    `the root is ${word}`,
  );
}

/** Last of all, because the mount points were made in it. */
export function makeRootReadonly(stage: Stage): void {
  stage.call(
    'mount_setattr',
    [CWD, '/', 0, mountAttr({ set: flags(MOUNT_ATTR, 'MOUNT_ATTR_RDONLY') }), MOUNT_ATTR_SIZE],
    '--read-only',
  );
}
