import { AT, MNT, MOVE_MOUNT, O } from '../kernel/index.ts';
import { flags, named, type Slot } from '../launch/index.ts';
import type { Stage } from './stage.ts';

/** The ways back to the host, for as long as they are needed. */
export interface HostView {
  root: Slot;
  /** Where this process stood: the bundle. */
  bundle: Slot;
}

/**
 * Puts the root filesystem where its path says, and goes into it, without the pivot: hooks of `createContainer` come after all that is mounted in the
 * container, and before the pivot (config.md, "POSIX-platform Hooks"), because they are to change it by its path on the host.
 *
 * For this process it is the root all the same, so no symlink of the image leads anything that is attached now to the host (CVE-2021-30465).
 *
 * @param directory what the path led to when it was looked at
 */
export function enterRoot(stage: Stage, rootfs: Slot, directory: Slot): HostView {
  const look = flags(O, 'O_PATH', 'O_DIRECTORY', 'O_CLOEXEC');
  const root = stage.open('host', 'openat', [CWD, '/', look, 0], 'the way back');
  const bundle = stage.open('bundle', 'openat', [CWD, '.', look, 0], 'where hooks begin');
  const empty = flags(MOVE_MOUNT, 'MOVE_MOUNT_F_EMPTY_PATH', 'MOVE_MOUNT_T_EMPTY_PATH');
  stage.call('move_mount', [rootfs, '', directory, '', empty], 'where hooks look for it');
  stage.call('fchdir', [rootfs], 'stand in it');
  stage.call('chroot', ['.'], 'symlinks end here');
  stage.call('chdir', ['/'], 'stand in it by name');
  return { root, bundle };
}

/** What had to lie over the host's /proc. */
export function uncoverHostProc(stage: Stage): void {
  stage.call('umount2', ['/proc', flags(MNT, 'MNT_DETACH')], 'hooks see the host’s');
}

/** For a hook, which is a program of the host's. */
export function returnToHost(stage: Stage, { root, bundle }: HostView): void {
  stage.call('fchdir', [root], 'back');
  stage.call('chroot', ['.'], 'the host is the root');
  stage.call('fchdir', [bundle], 'in the bundle');
}

/** Nothing that leads to the host may be open when the container's programs can look at this one (CVE-2024-21626). */
export function forgetHost(stage: Stage, { root, bundle }: HostView): void {
  for (const way of [root, bundle]) stage.call('close', [way], 'no way leads back');
}

const CWD = named('AT_FDCWD', AT.AT_FDCWD);
