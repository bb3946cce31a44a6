import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { applyChanges } from './changes.ts';
import { describeImage } from './describe.ts';
import { explainError } from './explain-error.ts';
import { flush, flushAlong, writeBlob } from './flush.ts';
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
    const endFlushes = flushAlong(layer.path);
    const made = await unpack(source, blobs.path, layer.path, options).finally(endFlushes);
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
    throw explainError(error, 'import', label);
  } finally {
    layer?.release();
    blobs.release();
  }
}

/** Docker gives an imported image no command at all. A shell is what people then ask for, where there is one. */
function defaultConfig(root: string): ImageConfig {
  const Env = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'];
  return hasImageFile([root], '/bin/sh') ? { Env, Cmd: ['/bin/sh'] } : { Env };
}
