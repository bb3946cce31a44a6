import { readFileSync } from 'node:fs';
import { TsboxError } from '../kernel/index.ts';
import { JSON_LIMIT, OCI_MANIFEST, parseImageManifest } from './manifest.ts';
import type { BlobDescriptor, Manifest } from './registry/types.ts';
import { blobPath, type Descriptor, findById, findNamed, notFound, readIndex } from './store/index.ts';

/** The files that an image of the store is made of, as they came: what can be given away. */
export interface StoredFiles {
  manifest: Manifest;
  config: BlobDescriptor;
  /** The lowest first. */
  layers: BlobDescriptor[];
}

/**
 * The line of the index that a name, a digest or an id means.
 *
 * @throws {TsboxError} IMAGE_NOT_FOUND, AMBIGUOUS_ID
 */
export function findDescriptor(reference: string): Descriptor {
  const all = readIndex();
  const named = findNamed(all, reference);
  if (named !== undefined) return named;
  const [image] = findById(all, reference);
  const found = image && all.find(({ digest }) => digest === image.digest);
  if (found === undefined) throw notFound(reference, all);
  return found;
}

/** @throws {TsboxError} STORE_CORRUPT, BAD_MANIFEST */
export function readStoredFiles(descriptor: Descriptor): StoredFiles {
  const bytes = readStoredJson(descriptor.digest);
  const { mediaType, config, layers } = parseImageManifest(bytes);
  return {
    manifest: {
      digest: descriptor.digest,
      mediaType: mediaType ?? descriptor.mediaType ?? OCI_MANIFEST,
      bytes,
    },
    config,
    layers,
  };
}

/** A small blob of the store. */
export function readStoredJson(digest: string): Buffer {
  let bytes: Buffer;
  try {
    bytes = readFileSync(blobPath(digest));
  } catch (cause) {
    throw new TsboxError('STORE_CORRUPT', `blob ${digest} is not in the image store`, {
      advice: 'remove the image with tsbox rmi, and get it again',
      cause,
    });
  }
  if (bytes.length > JSON_LIMIT) throw new TsboxError('STORE_CORRUPT', `blob ${digest} is no manifest`);
  return bytes;
}
