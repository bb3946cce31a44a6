/**
 * What an archive may make tsbox do. Each is far above what a real root filesystem needs (Debian's largest images: some 300,000
 * entries, 20 GiB, names of 300 bytes, 30 directories deep) and far below what hurts a host.
 */
export interface ArchiveLimits {
  /** Entries in one archive. Each may cost an inode, and 512 bytes of zeros compress to nothing. */
  entries: number;
  /** Bytes of a name or of a link's target: the kernel's PATH_MAX, less the NUL. */
  nameBytes: number;
  /** Directories above a file. A deep tree is slow to walk, and its paths cannot be said to the kernel. */
  depth: number;
  /** Bytes of one PAX header: room for several extended attributes of the largest size (64 KiB each). It is held in memory. */
  headerBytes: number;
  /** Pieces of one sparse file. They are held in memory, 16 bytes each. */
  sparseExtents: number;
  /** Apparent size of one file, holes included. Whoever copies it may fill the holes. */
  fileBytes: number;
  /** Bytes after decompression. */
  contentBytes: number;
  /** How many times larger than its source the content may be, once it is over `ratioFrom` bytes: gzip's best is 1030, real trees have 2 to 10. */
  ratio: number;
  ratioFrom: number;
}

/** The limits where nobody asks for others. */
export const ARCHIVE_LIMITS: ArchiveLimits = {
  entries: 2_000_000,
  nameBytes: 4095,
  depth: 256,
  headerBytes: 1 << 20,
  sparseExtents: 1 << 20,
  fileBytes: 2 ** 40,
  contentBytes: 64 * 2 ** 30,
  ratio: 250,
  ratioFrom: 256 * 2 ** 20,
};
