import { Errno } from './errno.ts';
import { cString, syscall } from './syscall.ts';

/** The extended attributes of an open file or directory, by name. None where the file system has no such thing. */
export function readXattrs(fd: number): Map<string, Buffer> {
  const allow = [Errno.EOPNOTSUPP, Errno.ERANGE, Errno.ENODATA, Errno.EPERM];
  const found = new Map<string, Buffer>();
  // 64 KiB is as much as the kernel has of either (xattr(7)).
  names ??= Buffer.alloc(65536);
  const length = syscall('flistxattr', [fd, names, names.length], { allow });
  if (length <= 0) return found;
  const value = Buffer.alloc(65536);
  for (const name of names.toString('latin1', 0, length).split('\0')) {
    if (name === '') continue;
    const size = syscall('fgetxattr', [fd, cString(Buffer.from(name, 'latin1')), value, value.length], {
      allow,
    });
    if (size >= 0) found.set(name, Buffer.from(value.subarray(0, size)));
  }
  return found;
}

let names: Buffer | undefined;
