import { existsSync } from 'node:fs';
import type { Manifest } from '../registry/types.ts';
import { blobPath, findById, readIndex, UNPACKED_SIZE } from '../store/index.ts';
import { readStoredFiles } from '../stored-files.ts';
import type { FoundImage } from './found.ts';

/**
 * The manifest that an image of an archive gets, and where the blobs of its layers are. An archive without manifests may have been saved from an
 * image that is here already, from a registry perhaps: then that one's manifest stands, so that it keeps its digest, and there is no second
 * image with the same id.
 */
export function manifestOf(image: FoundImage): { manifest: Manifest; blobs: Map<string, string> } {
  const known = image.made ? knownFiles(image.config.descriptor.digest) : undefined;
  if (known !== undefined) {
    const blobs = known.layers.map(({ digest }) => [digest, blobPath(digest)] as const);
    return { manifest: known.manifest, blobs: new Map(blobs) };
  }
  const blobs = image.layers.map(({ member }) => [member.digest, member.path] as const);
  return { manifest: image.manifest, blobs: new Map(blobs) };
}

/** What the store has for an id, if all of it is there. */
function knownFiles(id: string) {
  const all = readIndex();
  for (const { id: found, digest } of findById(all, id)) {
    const line = all.find((each) => each.digest === digest);
    // Without a size its layers were never compared with its manifest.
    if (found !== id || line?.annotations?.[UNPACKED_SIZE] === undefined) continue;
    const files = readStoredFiles(line);
    if (files.layers.every((layer) => existsSync(blobPath(layer.digest)))) return files;
  }
  return undefined;
}
