import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { KernelError, native, syscallNumber, TsboxError } from '../kernel/index.ts';
import { applyChanges } from './changes.ts';
import { describeImage } from './describe.ts';
import type { ArchiveLimits } from './limits.ts';
import { hasImageFile } from './read-file.ts';
import { parseReference } from './reference.ts';
import { makeTemporary, publishImage, storePaths, sweepImages, type Temporary } from './store/index.ts';
import type { ImageConfig, StoredImage } from './stored-image.ts';
import { unpack } from './unpack.ts';

export interface ImportOptions {
  /** Instructions in the manner of a Dockerfile: `CMD ["sh"]`, `ENV A=1`. */
  changes?: string[];
  /** A word for the image's history. */
  message?: string;
  /** In place of the default configuration: a PATH, and `/bin/sh` for a command where the archive has one. */
  config?: ImageConfig;
  limits?: Partial<ArchiveLimits>;
  /** Called with the bytes read so far and, where it is known, their number in all. */
  onProgress?: (received: number, total: number | undefined) => void;
}

/** See `importImage` of the face. */
export async function importImage(
  source: string | Readable,
  name?: string,
  options: ImportOptions = {},
): Promise<StoredImage> {
  const reference = name === undefined ? undefined : parseReference(name);
  // Before the work: a bad change would be a pity after it.
  applyChanges({}, options.changes ?? []);
  sweepImages();
  const paths = storePaths();
  const blobs = makeTemporary(paths.images);
  let layer: Temporary | undefined;
  const label = typeof source === 'string' ? source : '-';
  try {
    layer = makeTemporary(paths.layers);
    const made = await unpack(source, blobs.path, layer.path, options);
    const config = { ...(options.config ?? defaultConfig(join(layer.path, 'diff'))) };
    const described = describeImage({
      ...made,
      config: applyChanges(config, options.changes ?? []),
      source: label,
      message: options.message,
    });
    for (const { digest, text } of described.files) writeBlob(join(blobs.path, digest.slice(7)), text);
    await flush(layer.path);
    const layers = new Map([[made.diffId, layer]]);
    return publishImage({
      blobs,
      layers,
      manifest: described.manifest,
      name: reference?.name,
      size: made.bytes,
    });
  } catch (error) {
    throw explain(error, label);
  } finally {
    layer?.release();
    blobs.release();
  }
}

/**
 * Waits until the disk has it all (syncfs(2)), on a thread of the pool. A layer is trusted by its name from then on: one that a power cut
 * had left full of zeros would never be noticed. One call for all files costs less than one a file.
 */
async function flush(directory: string): Promise<void> {
  const fd = openSync(directory, 'r');
  try {
    const result = await native().syscallAsync(syscallNumber('syncfs'), fd);
    if (result < 0)
      throw new KernelError('syncfs', -result, { path: directory, doing: 'flush the image to its disk' });
  } finally {
    closeSync(fd);
  }
}

/** Docker gives an imported image no command at all. A shell is what people then ask for, where there is one. */
function defaultConfig(root: string): ImageConfig {
  const Env = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'];
  return hasImageFile([root], '/bin/sh') ? { Env, Cmd: ['/bin/sh'] } : { Env };
}

function writeBlob(path: string, text: string): void {
  const fd = openSync(path, 'wx', 0o600);
  try {
    writeSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function explain(error: unknown, source: string): unknown {
  const { code, message, advice } = error as TsboxError;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    const why = code === 'ENOSPC' ? 'no space is left on its disk (or no inodes)' : 'a quota is used up';
    return new TsboxError(
      'DISK_FULL',
      `cannot import \`${source}\` into \`${storePaths().images}\`: ${why}`,
      {
        advice: 'remove what is not needed (tsbox images, tsbox rmi), or set TSBOX_ROOT to another disk',
        cause: error,
      },
    );
  }
  if (code !== 'BAD_ARCHIVE' && code !== 'UNSAFE_ARCHIVE') return error;
  return new TsboxError(code, `cannot import \`${source}\`: ${message}`, {
    ...(advice ? { advice } : {}),
    cause: error,
  });
}
