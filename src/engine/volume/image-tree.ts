import { closeSync, openSync } from 'node:fs';
import {
  closeDescriptor,
  cString,
  Errno,
  FSCONFIG,
  FSMOUNT,
  FSOPEN,
  O,
  openat2,
  RESOLVE,
  syscall,
  TsboxError,
} from '../../kernel/index.ts';
import { kernelVersion } from '../prepare.ts';

/**
 * Does something with a directory of an image: of its layers as overlayfs shows them, read only, as a mount that is nowhere. Links on the way are followed
 * with the image's root as `/`, so none leads out.
 *
 * @param use is given an open directory; not called where the image has none there
 */
export function withImageDirectory(
  layers: readonly string[],
  path: string,
  use: (directory: number) => void,
): void {
  if (layers.length === 0) return;
  withImageRoot(layers, (root) => {
    const resolve = RESOLVE.RESOLVE_IN_ROOT | RESOLVE.RESOLVE_NO_MAGICLINKS;
    const directory = openat2(root, `./${path}`, O.O_RDONLY | O.O_DIRECTORY, resolve, {
      path,
      doing: 'fill the volume',
      allow: [Errno.ENOENT, Errno.ENOTDIR, Errno.ELOOP],
    });
    if (directory < 0) return;
    try {
      use(directory);
    } finally {
      closeDescriptor(directory);
    }
  });
}

/** The same with its root. */
export function withImageRoot<T>(layers: readonly string[], use: (root: number) => T): T {
  // overlayfs wants two layers at least, and one needs no overlayfs.
  const single = layers.length === 1;
  const root = single ? openSync(layers[0] as string, O.O_RDONLY | O.O_DIRECTORY) : mountReadOnly(layers);
  try {
    return use(root);
  } finally {
    if (single) closeSync(root);
    else closeDescriptor(root);
  }
}

function mountReadOnly(layers: readonly string[]): number {
  const doing = 'see the image';
  const context = syscall('fsopen', [cString('overlay'), FSOPEN.FSOPEN_CLOEXEC], { doing });
  try {
    const set = (key: string, value: string) =>
      syscall('fsconfig', [context, FSCONFIG.FSCONFIG_SET_STRING, cString(key), cString(value), 0], {
        doing,
      });
    const topFirst = layers.toReversed();
    const { major, minor } = kernelVersion();
    if (major > 6 || (major === 6 && minor >= 5)) for (const layer of topFirst) set('lowerdir+', layer);
    else {
      const joined = topFirst.map((layer) => layer.replace(/[\\:]/g, '\\$&')).join(':');
      // fsconfig(2) cuts a value there.
      if (Buffer.byteLength(joined) > 255)
        throw new TsboxError(
          'KERNEL_TOO_OLD',
          `an image of ${layers.length} layers is too much to look into on this kernel`,
          { advice: 'Linux 6.5 can do it; for a volume, `nocopy` leaves it empty' },
        );
      set('lowerdir', joined);
    }
    syscall('fsconfig', [context, FSCONFIG.FSCONFIG_CMD_CREATE, null, null, 0], { doing });
    return syscall('fsmount', [context, FSMOUNT.FSMOUNT_CLOEXEC, 0], { doing });
  } finally {
    closeDescriptor(context);
  }
}
