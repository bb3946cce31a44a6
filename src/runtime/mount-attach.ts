import { AT, Errno, MOVE_MOUNT, S } from '../kernel/index.ts';
import { flags, named, octal, type Slot } from '../launch/index.ts';
import type { Stage } from './stage.ts';

const CWD = named('AT_FDCWD', AT.AT_FDCWD);

/**
 * Puts detached mounts at their places, after the pivot: every path is resolved inside the container, so a symlink of the image can
 * lead a mount only to another place in the image (CVE-2021-30465, CVE-2025-31133, CVE-2025-52881 led them to the host).
 */
export class Attacher {
  readonly #stage: Stage;
  readonly #made = new Set<string>(['/']);

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  /** Makes the mount point and moves the mount there. */
  attach(mount: Slot, path: string, options: { file: boolean; followLink: boolean }): void {
    if (options.file) this.file(path);
    else this.directory(path);
    this.move(mount, path, options.followLink);
  }

  /** Makes a directory and those above it, where they are not there. */
  directory(path: string, what = 'a place to mount on'): void {
    let prefix = '';
    for (const part of path.split('/').filter((part) => part !== '')) {
      prefix += `/${part}`;
      if (this.#made.has(prefix)) continue;
      this.#made.add(prefix);
      this.#stage.call('mkdirat', [CWD, prefix, octal(0o755)], `${what}, unless the image has it`, {
        tolerate: [Errno.EEXIST],
      });
    }
  }

  /** Makes an empty file to mount a file on. */
  file(path: string): void {
    this.directory(path.slice(0, path.lastIndexOf('/')));
    this.#stage.call(
      'mknodat',
      [CWD, path, octal(S.S_IFREG | 0o644), 0],
      'a file to mount on, unless the image has it',
      {
        tolerate: [Errno.EEXIST],
      },
    );
  }

  /**
   * Moves a detached mount to a path.
   *
   * @param followLink whether the last part of the path may be a symlink, as for volumes (/var/run); never for proc, sys and dev,
   *   which must be at the place that the rest of the plan takes them to be
   */
  move(mount: Slot, path: string, followLink: boolean): void {
    const to = followLink ? ['MOVE_MOUNT_T_SYMLINKS' as const] : [];
    this.#stage.call(
      'move_mount',
      [mount, '', CWD, path, flags(MOVE_MOUNT, 'MOVE_MOUNT_F_EMPTY_PATH', ...to)],
      `now it is at ${path}`,
    );
  }
}
