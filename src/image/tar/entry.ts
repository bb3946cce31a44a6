/** What an entry makes. `link` is a hard link. */
export type TarEntryType = 'file' | 'directory' | 'symlink' | 'link' | 'character' | 'block' | 'fifo';

/**
 * One entry of an archive, with everything applied that extended headers say. Names are strings of one character a byte (latin1): they need not
 * be UTF-8. They are as the archive has them: nothing is checked but that they have no NUL and are not too long.
 */
export interface TarEntry {
  name: string;
  type: TarEntryType;
  /** Target of a symbolic or hard link. */
  linkName: string;
  /** The twelve permission bits. */
  mode: number;
  uid: number;
  gid: number;
  /** Nanoseconds since 1970. */
  mtime: bigint;
  /** Size of the file, holes included; 0 for everything else. */
  size: number;
  major: number;
  minor: number;
  xattrs: Map<string, Buffer> | undefined;
}
