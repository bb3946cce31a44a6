import { readFileSync } from 'node:fs';
import { TsboxError } from '../../kernel/index.ts';
import { isDigest, storePaths } from './paths.ts';

/** A line of the layout's index.json: a manifest, and the name it goes by. */
export interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
  annotations?: Record<string, string>;
}

/** The annotation that skopeo, buildah and podman look names up by (OCI image-spec, annotations.md). */
export const REF_NAME = 'org.opencontainers.image.ref.name';
/** Bytes of the image's files, unpacked. In the index, because a manifest from a registry must stay as it is. */
export const UNPACKED_SIZE = 'tsbox.unpacked-size';

/**
 * What index.json lists; nothing where there is no store yet.
 *
 * @throws {TsboxError} STORE_UNREADABLE, STORE_CORRUPT
 */
export function readIndex(): Descriptor[] {
  const { index } = storePaths();
  const file = readJson(index);
  if (file === undefined) return [];
  const manifests = (file as { manifests?: unknown }).manifests;
  if (!Array.isArray(manifests)) throw corrupt(index);
  return manifests.filter(
    (each): each is Descriptor => isDigest(each?.digest) && typeof each.mediaType === 'string',
  );
}

/** A JSON object from the store; undefined where the file is not there. */
export function readJson(path: string): object | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    const advice =
      code === 'EACCES' ? 'run tsbox as root (sudo), or set TSBOX_ROOT to a directory of yours' : undefined;
    throw new TsboxError(
      'STORE_UNREADABLE',
      `cannot read the image store: ${message}`,
      advice ? { advice } : {},
    );
  }
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // Said below.
  }
  throw corrupt(path);
}

/** The text of an index.json. */
export function formatIndex(manifests: readonly Descriptor[]): string {
  return `${JSON.stringify({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests })}\n`;
}

export function corrupt(path: string): TsboxError {
  return new TsboxError('STORE_CORRUPT', `\`${path}\` in the image store is damaged`, {
    advice: 'remove the image with tsbox rmi and import it again',
  });
}
