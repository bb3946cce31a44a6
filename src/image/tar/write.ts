import { Header } from 'tar/header';

/** What is written of a member: everything else (owner root, the time 0) is the same for all, so that an archive depends on its content only. */
export interface TarMember {
  /** At most 100 bytes. A directory's ends in a slash. */
  name: string;
  size: number;
  type: 'File' | 'Directory';
}

/** The header block of a member. A size from 8 GiB on is written in base-256, which GNU tar, libarchive and Go read. */
export function tarHeader({ name, size, type }: TarMember): Buffer {
  const block = Buffer.alloc(512);
  const mode = type === 'Directory' ? 0o755 : 0o644;
  const long = new Header({ path: name, type, size, mode, uid: 0, gid: 0, mtime: new Date(0) }).encode(block);
  if (long && Buffer.byteLength(name) > 100) throw new Error(`too long for a tar header: ${name}`);
  return block;
}

/** Zeros that fill up the last block of a member. */
export function tarPadding(size: number): Buffer {
  return Buffer.alloc((512 - (size % 512)) % 512);
}

/** Two blocks of zeros (POSIX.1-2017, pax, "ustar Interchange Format"). */
export function tarEnd(): Buffer {
  return Buffer.alloc(1024);
}
