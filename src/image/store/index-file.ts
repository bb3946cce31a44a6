import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { TsboxError } from '../../kernel/index.ts';
import { tryReference } from '../reference.ts';
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
/**
 * Bytes of the image's files, unpacked. In the index, because a manifest from a registry must stay as it is. It is there once all
 * layers were unpacked or compared with what the manifest and the configuration promise, so its absence says that they were not.
 */
export const UNPACKED_SIZE = 'tsbox.unpacked-size';
/** The digest that the registry gave for the name: of the index, where there is one. */
export const PULLED_DIGEST = 'tsbox.pulled-digest';

/**
 * What index.json lists; nothing where there is no store yet.
 *
 * @throws {TsboxError} STORE_UNREADABLE, STORE_CORRUPT
 */
export function readIndex(): Descriptor[] {
  return agreed(readLines().filter(isDescriptor));
}

/**
 * What other programs have written may contradict itself: a name in two spellings (`alpine`, `alpine:latest`), where the later line counts; a line
 * without a name beside one with a name for the same manifest; a line that does not know that the image is unpacked.
 */
function agreed(lines: Descriptor[]): Descriptor[] {
  const names = new Set<string>();
  const sizes = new Map<string, string>();
  for (let at = lines.length - 1; at >= 0; at--) {
    const line = lines[at] as Descriptor;
    const name = imageName(line);
    const size = line.annotations?.[UNPACKED_SIZE];
    if (size !== undefined) sizes.set(line.digest, size);
    if (names.has(name)) lines[at] = withoutName(line);
    else if (name !== '') names.add(name);
  }
  const named = new Set(lines.filter((line) => imageName(line) !== '').map(({ digest }) => digest));
  return lines
    .filter((line, at) => {
      if (imageName(line) !== '') return true;
      return !named.has(line.digest) && lines.findIndex(({ digest }) => digest === line.digest) === at;
    })
    .map((line) => {
      const size = sizes.get(line.digest);
      if (size === undefined || line.annotations?.[UNPACKED_SIZE] !== undefined) return line;
      return { ...line, annotations: { ...line.annotations, [UNPACKED_SIZE]: size } };
    });
}

/** `alpine:latest`, or nothing. What another program has written and is no reference is a name all the same. */
export function imageName(descriptor: Descriptor): string {
  const name = descriptor.annotations?.[REF_NAME] ?? '';
  return tryReference(name)?.name ?? name;
}

export function withoutName(descriptor: Descriptor): Descriptor {
  const { [REF_NAME]: _, ...annotations } = descriptor.annotations ?? {};
  return { ...descriptor, annotations };
}

function readLines(): unknown[] {
  const { index } = storePaths();
  const file = readJson(index, INDEX_LIMIT, true);
  if (file === undefined) return [];
  const manifests = (file as { manifests?: unknown }).manifests;
  if (!Array.isArray(manifests)) throw corrupt(index);
  return manifests;
}

function isDescriptor(line: unknown): line is Descriptor {
  if (typeof line !== 'object' || line === null) return false;
  const { digest, mediaType, annotations = {} } = line as Record<string, unknown>;
  if (!isDigest(digest) || typeof mediaType !== 'string') return false;
  if (typeof annotations !== 'object' || annotations === null || Array.isArray(annotations)) return false;
  return Object.values(annotations).every((value) => typeof value === 'string');
}

/**
 * A JSON object from the store; undefined where the file is not there.
 *
 * @param limit bytes. Default: what registries let a manifest have
 * @param rewritten whether another program may be writing it in place, as skopeo does with index.json: then it is read again for a moment
 */
export function readJson(path: string, limit = JSON_LIMIT, rewritten = false): object | undefined {
  for (let attempt = 0; ; attempt++) {
    const text = readText(path, limit);
    if (text === undefined) return undefined;
    try {
      const value: unknown = JSON.parse(text);
      if (typeof value === 'object' && value !== null) return value;
    } catch {
      // Said below.
    }
    if (!rewritten || attempt === 25) throw corrupt(path);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
  }
}

/** Docker's registry and containers/image have the same. */
const JSON_LIMIT = 4 * 2 ** 20;
const INDEX_LIMIT = 64 * 2 ** 20;

function readText(path: string, limit: number): string | undefined {
  try {
    const fd = openSync(path, 'r');
    try {
      const { size } = fstatSync(fd);
      if (size > limit) throw corrupt(path);
      const bytes = Buffer.allocUnsafe(size);
      return bytes.toString('utf8', 0, readSync(fd, bytes, 0, size, 0));
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (error instanceof TsboxError) throw error;
    if (code === 'ENOENT') return undefined;
    const advice =
      code === 'EACCES' ? 'run tsbox as root (sudo), or set TSBOX_ROOT to a directory of yours' : undefined;
    throw new TsboxError(
      'STORE_UNREADABLE',
      `cannot read the image store: ${message}`,
      advice ? { advice } : {},
    );
  }
}

/**
 * The text of an index.json. The lines that tsbox does not understand (other programs' artifacts, other hashes) are kept as they are on disk: call it
 * under the store's lock.
 */
export function formatIndex(manifests: readonly Descriptor[]): string {
  const others = readLines().filter((line) => !isDescriptor(line));
  return `${JSON.stringify({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [...manifests, ...others] })}\n`;
}

/** Whether other programs have listed what tsbox does not understand. */
export function hasForeignLines(): boolean {
  return readLines().some((line) => !isDescriptor(line));
}

export function corrupt(path: string): TsboxError {
  return new TsboxError('STORE_CORRUPT', `\`${path}\` in the image store is damaged`, {
    advice: 'remove the image with tsbox rmi and get it again',
  });
}
