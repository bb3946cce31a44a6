/**
 * V8's code caches on disk. A cache fits one version of Node, one architecture and one bundle, and all three are in its name.
 *
 * V8 does check a cache's version and length but not, in release builds, its content: one flipped bit makes Node crash. A checksum would cost more
 * than the cache saves (loading zlib or crypto takes 3 to 6 ms), so the file holds the cache twice, and comparing the
 * halves is a memcmp. And bytecode is code: a cache that somebody else could have written is not used.
 */
import {
  closeSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  type Stats,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Script } from 'node:vm';
import { storeCache } from './store-cache.ts';

export interface OpenCache {
  file: number;
  /** Bytes. */
  half: number;
}

const suffix = `-${process.version}-${process.arch}.cache`;
// Where the package cannot be written to, the store keeps the cache.
const directories = [join(__dirname, 'cache'), storeCache()];

/** The first cache that nobody could have put there who should not: its descriptor, and half its size. */
export function openCache(name: string, bundle: string): OpenCache | undefined {
  for (const directory of directories) {
    let file: number | undefined;
    try {
      // Not by an exception: one costs more than all else here.
      if (statSync(directory, { throwIfNoEntry: false }) === undefined) continue;
      file = openSync(join(directory, `${name}${suffix}`), 'r');
      const { size } = ours(fstatSync(file), bundle);
      ours(statSync(directory), bundle);
      return { file, half: size >> 1 };
    } catch {
      // As good as none.
      if (file !== undefined) closeSync(file);
    }
  }
  return undefined;
}

/** The first half, if the second is equal. The second is read in pieces, since new memory costs more than reading. */
export function readCache({ file, half }: OpenCache, memory: Buffer): Buffer | undefined {
  try {
    if (readSync(file, memory, 0, half, 0) !== half) return undefined;
    const piece = Buffer.allocUnsafeSlow(64 * 1024);
    for (let at = 0; at < half; ) {
      const count = readSync(file, piece, 0, Math.min(piece.length, half - at), half + at);
      if (count === 0 || piece.compare(memory, at, at + count, 0, count) !== 0) return undefined;
      at += count;
    }
    return memory.subarray(0, half);
  } catch {
    return undefined;
  } finally {
    closeSync(file);
  }
}

/** Throws unless only root, we, or the owner of the bundle (whose code we run in any case) can write to it. */
function ours(stat: Stats, bundle: string): Stats {
  const trusted = stat.uid === 0 || stat.uid === process.geteuid?.() || stat.uid === statSync(bundle).uid;
  if (!trusted || (stat.mode & 0o022) !== 0) throw new Error('not ours');
  return stat;
}

/** Leaves a cache of what the script has needed so far, and removes those of older bundles. */
export function writeCache(name: string, digest: string, bundle: string, script: Script): void {
  let data: Buffer | undefined;
  for (const directory of directories) {
    try {
      mkdirSync(directory, { recursive: true, mode: 0o755 });
      ours(statSync(directory), bundle);
      data ??= script.createCachedData();
      const aside = join(directory, `.${name}${suffix}.${process.pid}`);
      const file = openSync(aside, 'wx', 0o644);
      try {
        if (writeSync(file, data) + writeSync(file, data) !== 2 * data.length) throw new Error('disk full');
        fsyncSync(file);
        renameSync(aside, join(directory, `${name}${suffix}`));
      } catch (error) {
        unlinkSync(aside);
        throw error;
      } finally {
        closeSync(file);
      }
      for (const other of readdirSync(directory)) {
        if (other.endsWith(suffix) && !other.includes(digest)) unlinkSync(join(directory, other));
      }
      return;
    } catch {
      // A read-only installation, a full disk: the next directory, or no cache. The command itself went well.
    }
  }
}
