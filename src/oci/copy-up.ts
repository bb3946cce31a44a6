import { closeSync, fstatSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { closeDescriptor, cString, Errno, O, openat2, RESOLVE, syscall } from '../kernel/index.ts';
import type { CopiedUp, Mount } from '../runtime/index.ts';
import { failure } from './state.ts';

/**
 * What a tmpfs with `tmpcopyup` begins with: what the image has there. (No option of the kernel's: crun and runc have it, and Podman gives it to every
 * tmpfs.) It is read here and written by the plan, so it is bounded; the walk never leaves the root filesystem.
 *
 * @returns by mount; the option is taken out of those
 * @throws {TsboxError} NOT_SUPPORTED for what is too much, or a special file
 */
export function readCopies(rootfs: string, mounts: readonly Mount[]): Map<Mount, CopiedUp[]> {
  const copies = new Map<Mount, CopiedUp[]>();
  for (const mount of mounts) {
    if (!mount.options?.includes('tmpcopyup')) continue;
    mount.options = mount.options.filter((word) => word !== 'tmpcopyup');
    if (mount.type === 'tmpfs') copies.set(mount, readTree(rootfs, mount.destination));
  }
  return copies;
}

function readTree(rootfs: string, destination: string): CopiedUp[] {
  const root = openSync(rootfs, O.O_PATH | O.O_DIRECTORY);
  const found: CopiedUp[] = [];
  let bytes = 0;
  const visit = (name: string) => {
    // The directory itself is where its symlinks lead; below it none is followed.
    const flags = O.O_PATH | (name === '' ? O.O_DIRECTORY : O.O_NOFOLLOW);
    const resolve = RESOLVE.RESOLVE_IN_ROOT | RESOLVE.RESOLVE_NO_MAGICLINKS;
    const allow = [Errno.ENOENT, Errno.ENOTDIR, Errno.ELOOP];
    const fd = openat2(root, `.${destination}/${name}`, flags, resolve, { allow });
    if (fd < 0) return;
    try {
      const status = fstatSync(fd);
      const common = { name, mode: status.mode & 0o7777, uid: status.uid, gid: status.gid };
      if (name !== '' && found.length >= MOST_ENTRIES)
        throw tooMuch(destination, `more than ${MOST_ENTRIES} files`);
      if (status.isDirectory()) {
        if (name !== '') found.push({ ...common, kind: 'directory' });
        for (const entry of readdirSync(`/proc/self/fd/${fd}`))
          visit(name === '' ? entry : `${name}/${entry}`);
      } else if (status.isSymbolicLink()) {
        found.push({ ...common, kind: 'symlink', content: readLink(fd) });
      } else if (status.isFile()) {
        bytes += status.size;
        if (bytes > MOST_BYTES) throw tooMuch(destination, `more than ${MOST_BYTES} bytes`);
        found.push({ ...common, kind: 'file', content: readFileSync(`/proc/self/fd/${fd}`) });
      } else throw tooMuch(destination, `a special file, ${name}`);
    } finally {
      closeDescriptor(fd);
    }
  };
  try {
    visit('');
  } finally {
    closeSync(root);
  }
  return found;
}

function readLink(fd: number): string {
  const target = Buffer.alloc(4096);
  const length = syscall('readlinkat', [fd, cString(''), target, target.length], { doing: 'read a symlink' });
  return target.toString('utf8', 0, length);
}

function tooMuch(destination: string, what: string) {
  return failure(
    'NOT_SUPPORTED',
    `tmpcopyup is not supported for ${destination}: the image has ${what} there`,
  );
}

const MOST_ENTRIES = 500;
const MOST_BYTES = 1 << 20;
