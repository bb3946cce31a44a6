import { existsSync, linkSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { StoredImage } from '../stored-image.ts';
import { replaceIndex } from './garbage.ts';
import { corrupt, type Descriptor, formatIndex, REF_NAME, readIndex, UNPACKED_SIZE } from './index-file.ts';
import { withStoreLock } from './lock.ts';
import { storePaths } from './paths.ts';
import { readImage } from './read-image.ts';
import { namesIn, type Temporary } from './temporary.ts';

export interface Unpublished {
  /** Holds the blobs, each under the hex of its digest. */
  blobs: Temporary;
  /** Unpacked layers by diff ID; each holds a directory `diff`. */
  layers: Map<string, Temporary>;
  manifest: Descriptor;
  /** `alpine:latest`, or none. */
  name: string | undefined;
  /** Bytes unpacked. */
  size: number;
}

/**
 * Makes an image part of the store, in an order that leaves nothing behind when it is cut off: the blobs are linked, not moved, so that what is
 * in the unfinished directory tells a sweep what was published; the layers are known by the index alone; and the index comes last.
 */
export function publishImage(image: Unpublished): StoredImage {
  const paths = storePaths();
  return withStoreLock(() => {
    for (const [diffId, layer] of image.layers) {
      const place = join(paths.layers, diffId.slice('sha256:'.length));
      // Somebody else had the same layer first: ours is removed with its unfinished directory.
      if (!existsSync(place)) renameSync(layer.path, place);
    }
    for (const name of namesIn(image.blobs.path)) link(join(image.blobs.path, name), join(paths.blobs, name));
    const all = readIndex();
    const descriptor = describe(image);
    const left = [...withoutName(all, image.name, image.manifest.digest), descriptor];
    replaceIndex(formatIndex(left), left, [])?.release();
    const stored = readImage(descriptor);
    if (stored === undefined) throw corrupt(paths.index);
    return stored;
  });
}

/** An image whose name goes to another one stays, without a name, for the containers that use it; as in Docker. */
function withoutName(all: readonly Descriptor[], name: string | undefined, digest: string): Descriptor[] {
  const renamed = all.map((each) => {
    if (name === undefined || each.annotations?.[REF_NAME] !== name) return each;
    const { [REF_NAME]: _, ...annotations } = each.annotations;
    return { ...each, annotations };
  });
  return renamed.filter((each) => {
    if (each.annotations?.[REF_NAME] !== undefined) return true;
    // No line without a name beside one with a name for the same image.
    return (
      each.digest !== digest &&
      !all.some((other) => other !== each && other.digest === each.digest && hasOtherName(other, name))
    );
  });
}

function hasOtherName(descriptor: Descriptor, name: string | undefined): boolean {
  const own = descriptor.annotations?.[REF_NAME];
  return own !== undefined && own !== name;
}

function describe({ manifest, name, size }: Unpublished): Descriptor {
  return {
    ...manifest,
    annotations: { ...(name === undefined ? {} : { [REF_NAME]: name }), [UNPACKED_SIZE]: String(size) },
  };
}

function link(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
