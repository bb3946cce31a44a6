import { createHash } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { badArchive, shownName } from '../archive-error.ts';
import type { ArchiveLimits } from '../limits.ts';
import { decompress, detectCompression, meter, openSource, peek } from '../source/index.ts';
import { type TarEntry, TarReader } from '../tar/index.ts';
import { type Member, Members } from './members.ts';

/**
 * Members of an archive of images. Docker writes three for a layer and at most 127 layers an image, so that this is enough for hundreds
 * of images; each may cost an inode.
 */
const MEMBERS = 100_000;
/** Bytes of their names and links, which are held in memory. */
const NAME_BYTES = 16 * 2 ** 20;

/**
 * Reads an archive once, from its beginning to its end, into numbered files of a directory: what a member is for may be said at the very
 * end, and a pipe cannot be read twice. Most of the files become blobs of the store by a rename, so that nothing is copied again.
 *
 * @throws {TsboxError} SOURCE_UNREADABLE, BAD_ARCHIVE, UNSAFE_ARCHIVE
 */
export async function spoolArchive(
  source: string | Readable,
  directory: string,
  limits: ArchiveLimits,
  onProgress?: (received: number, total: number | undefined) => void,
): Promise<Members> {
  const { chunks, size } = await openSource(source, 'load');
  let received = 0;
  const raw = (async function* () {
    for await (const chunk of chunks) {
      received += chunk.length;
      onProgress?.(received, size);
      yield Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk);
    }
  })();
  const { start, all } = await peek(raw, 6);
  const plain = meter(decompress(all, detectCompression(start)), () => received, limits);
  const reader = new TarReader(plain, limits);
  const members = new Members();
  let count = 0;
  let nameBytes = 0;
  for (let entry = await reader.next(); entry !== undefined; entry = await reader.next()) {
    if (entry.type === 'directory') continue;
    nameBytes += entry.name.length + entry.linkName.length;
    if (++count > MEMBERS || nameBytes > NAME_BYTES)
      throw badArchive('it has too many files: it is no archive of images', IMPORT);
    if (entry.type === 'symlink' || entry.type === 'link')
      members.addLink(entry.name, entry.linkName, entry.type === 'symlink');
    else if (entry.type === 'file')
      members.addFile(entry.name, await spoolFile(reader, entry, join(directory, String(count))));
  }
  return members;
}

export const IMPORT = 'tsbox import makes an image of a root file system tar';

async function spoolFile(reader: TarReader, entry: TarEntry, path: string): Promise<Member> {
  const hash = createHash('sha256');
  let start = Buffer.alloc(0);
  let size = 0;
  const file = openSync(path, 'wx', 0o600);
  try {
    await reader.content((bytes, offset) => {
      // Nobody writes them, and a hole of a terabyte costs nothing to write but much to read.
      if (offset !== size) throw badArchive(`${shownName(entry.name)} is a sparse file`);
      if (start.length < 6) start = Buffer.concat([start, bytes.subarray(0, 6)]);
      hash.update(bytes);
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
      size += bytes.length;
    });
  } finally {
    closeSync(file);
  }
  if (size !== entry.size) throw badArchive(`${shownName(entry.name)} is a sparse file`);
  return { path, digest: `sha256:${hash.digest('hex')}`, size, start };
}
