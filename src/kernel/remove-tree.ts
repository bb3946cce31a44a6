import { AT, O, RESOLVE } from './constants.ts';
import { Errno } from './errno.ts';
import { native } from './ffi.ts';
import { fields } from './fields.ts';
import { closeDescriptor, openat2 } from './files.ts';
import { cString, syscall } from './syscall.ts';

/**
 * Removes a file or a directory with all that is in it. Nothing happens where it is not there.
 *
 * Node's `rmSync` goes by path and by UTF-8 names, and a container or an image can make names that are not UTF-8 and trees that are
 * deeper than a path can say. This goes by descriptor and by bytes, follows no symbolic link and enters no mount.
 *
 * @throws {KernelError} EXDEV where something is mounted inside
 */
export function removeTree(path: string): void {
  const context = { path, doing: 'remove' };
  const result = syscall('unlinkat', [AT.AT_FDCWD, cString(path), 0], {
    ...context,
    allow: [Errno.ENOENT, Errno.ENOTDIR, Errno.EISDIR],
  });
  if (result !== -Errno.EISDIR) return;
  const flags = O.O_RDONLY | O.O_DIRECTORY | O.O_NOFOLLOW | O.O_CLOEXEC;
  const top = syscall('openat', [AT.AT_FDCWD, cString(path), flags, 0], context);
  try {
    // Nearly always this is all: what follows finds nothing then.
    native().empty(top);
    syscall('lseek', [top, 0, 0], context);
    const state = { top, path, moved: 0 };
    // More than one pass: what lies too deep is first moved up to the top.
    while (empty(top, 0, state) > 0) syscall('lseek', [top, 0, 0], context);
  } finally {
    closeDescriptor(top);
  }
  syscall('unlinkat', [AT.AT_FDCWD, cString(path), AT.AT_REMOVEDIR], context);
}

interface Removal {
  top: number;
  path: string;
  moved: number;
}

/** So many descriptors are open at once, at most. */
const DEEPEST = 64;
const DT_DIR = 4;

/** How many names it found. */
function empty(directory: number, depth: number, state: Removal): number {
  const entries = Buffer.allocUnsafe(16384);
  const context = { path: state.path, doing: 'remove' };
  let found = 0;
  for (;;) {
    const length = syscall('getdents64', [directory, entries, entries.length], context);
    if (length === 0) return found;
    // struct linux_dirent64: inode 8, offset 8, record length 2, type 1, name
    for (let at = 0; at < length; at += fields(entries).getUint16(at + 16, true)) {
      const name = entries.subarray(at + 19, entries.indexOf(0, at + 19) + 1);
      if (name.equals(DOT) || name.equals(DOT_DOT)) continue;
      found++;
      if (entries[at + 18] === DT_DIR) removeDirectory(directory, name, depth, state);
      else if (unlink(directory, name, state) === -Errno.EISDIR)
        removeDirectory(directory, name, depth, state);
    }
  }
}

const DOT = cString('.');
const DOT_DOT = cString('..');

/** Some file systems give no type with the name: then the kernel says EISDIR. */
function unlink(directory: number, name: Buffer, state: Removal): number {
  return syscall('unlinkat', [directory, name, 0], {
    path: state.path,
    doing: 'remove',
    allow: [Errno.EISDIR],
  });
}

function removeDirectory(directory: number, name: Buffer, depth: number, state: Removal): void {
  const context = { path: state.path, doing: 'remove' };
  // Most are empty, and then this is all. What else may be wrong shows below.
  const allow = [Errno.ENOTEMPTY, Errno.EBUSY, Errno.EEXIST];
  if (syscall('unlinkat', [directory, name, AT.AT_REMOVEDIR], { ...context, allow }) === 0) return;
  if (depth >= DEEPEST) {
    const moved = cString(`.removing-${process.pid}-${state.moved++}`);
    syscall('renameat2', [directory, name, state.top, moved, RENAME_NOREPLACE], context);
    return;
  }
  const resolve = RESOLVE.RESOLVE_BENEATH | RESOLVE.RESOLVE_NO_SYMLINKS | RESOLVE.RESOLVE_NO_XDEV;
  const child = openat2(
    directory,
    name.subarray(0, -1),
    O.O_RDONLY | O.O_DIRECTORY | O.O_NOFOLLOW,
    resolve,
    context,
  );
  try {
    empty(child, depth + 1, state);
  } finally {
    closeDescriptor(child);
  }
  syscall('unlinkat', [directory, name, AT.AT_REMOVEDIR], context);
}

const RENAME_NOREPLACE = 1;
