import { cString, Errno, syscall, TsboxError } from '../../kernel/index.ts';
import { plainName, shownName, unsafeArchive } from '../archive-error.ts';

/**
 * Sets the extended attributes of an entry, all but the following:
 *
 * - `trusted.overlay.*`, and `user.overlay.*` which overlayfs takes instead when it is mounted with `userxattr`: refused. With them a layer
 *   could redirect a directory to any other of the file system below, or hide files without a whiteout.
 * - `security.selinux`, `security.ima`, `security.evm`, `security.apparmor`: left out. They are this machine's policy, not the
 *   image's. (`security.capability` is the image's.)
 * - What lies in none of the kernel's namespaces (xattr(7)), as `com.apple.provenance`, which tar on a Mac adds: left out. It means nothing here.
 *
 * @param target an open descriptor, or a path to lay hands on what cannot be opened
 * @throws {TsboxError} UNSAFE_ARCHIVE, XATTR_UNSUPPORTED
 */
export function setXattrs(target: number | Uint8Array, xattrs: Map<string, Buffer>, name: string): void {
  const shown = shownName(name);
  for (const [attribute, value] of xattrs) {
    if (/^(trusted|user)\.overlay\./.test(attribute)) {
      throw unsafeArchive(
        `${shown} has the extended attribute ${shownName(attribute)}, which is overlayfs's own`,
      );
    }
    if (HOST_POLICY.has(attribute) || !/^(user|trusted|security|system)\../.test(attribute)) continue;
    const key = cString(Buffer.from(attribute, 'latin1'));
    const context = {
      path: plainName(name),
      doing: `set ${shownName(attribute)}`,
      allow: [Errno.EOPNOTSUPP],
    };
    const result =
      typeof target === 'number'
        ? syscall('fsetxattr', [target, key, value, value.length, 0], context)
        : syscall('lsetxattr', [cString(target), key, value, value.length, 0], context);
    if (result < 0) {
      throw new TsboxError(
        'XATTR_UNSUPPORTED',
        `the file system of the image store cannot keep the extended attribute ${shownName(attribute)} of ${shown}`,
        { advice: 'set TSBOX_ROOT to a directory on ext4, xfs or btrfs' },
      );
    }
  }
}

const HOST_POLICY = new Set(['security.selinux', 'security.ima', 'security.evm', 'security.apparmor']);
