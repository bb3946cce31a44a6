/**
 * tsbox as a library.
 *
 * ```ts
 * import { run } from 'tsbox';
 *
 * await using box = await run('alpine', ['sh', '-c', 'echo hi'], { memory: '64m' });
 * for await (const chunk of box.stdout) process.stdout.write(chunk);
 * const { code } = await box.wait();
 * ```
 *
 * Everything that the command does, it does through this file. Needs root.
 */
export * from './changes.ts';
export * from './containers.ts';
export type { Container, ContainerStats, ExitStatus, StartOptions, Stdio } from './engine/container.ts';
export type { DiskUsage } from './engine/disk-usage.ts';
export type { Check } from './engine/doctor/index.ts';
export type { ExecOptions, ExecProcess, ExecStatus, KeptProcess } from './engine/exec/index.ts';
export { type Info, info } from './engine/info.ts';
export { didYouMean, parseEnvironment } from './engine/options/index.ts';
export type { ContainerRecord } from './engine/record.ts';
export { listContainers } from './engine/records.ts';
export { removeContainer } from './engine/remove.ts';
export { explain, run } from './engine/run.ts';
export type { RunOptions } from './engine/run-options.ts';
export { sweep, sweepAndList } from './engine/sweep.ts';
export * from './events.ts';
export type { ArchiveFormat, LoadedImage, LoadOptions, SaveOptions } from './image/archive/index.ts';
export {
  findImage,
  listImages,
  parseReference,
  type Reference,
  type StoredImage,
  sweepImages,
} from './image/index.ts';
export type { PullEvent, PulledImage, PullOptions } from './image/pull/index.ts';
export type { LayerState, PushedImage, PushOptions } from './image/push/index.ts';
export type { ImageFilters } from './image/store/filter.ts';
export type { ImageHistory } from './image/store/history.ts';
export type { ImageDetails } from './image/store/inspect.ts';
export { KernelError, showBytes, TsboxError } from './kernel/index.ts';
export {
  formatPlan,
  formatProfile,
  type Plan,
  type ProfileEntry,
  planToJson,
  type Step,
} from './launch/index.ts';
export * from './management.ts';
export * from './networks.ts';
export * from './volumes.ts';

import type { Readable } from 'node:stream';
import type { DiskUsage } from './engine/disk-usage.ts';
import type { Check } from './engine/doctor/index.ts';
import { noteEvents } from './engine/events/note.ts';
import type { ExecOptions, ExecProcess, KeptProcess } from './engine/exec/index.ts';
import { imageUser } from './engine/records.ts';
import type { LoadedImage, LoadOptions, SaveOptions } from './image/archive/index.ts';
import type { ImportOptions, StoredImage } from './image/index.ts';
import type { PulledImage, PullOptions } from './image/pull/index.ts';
import type { PushedImage, PushOptions } from './image/push/index.ts';
import type { ImageFilters } from './image/store/filter.ts';
import type { ImageHistory } from './image/store/history.ts';
import type { ImageDetails } from './image/store/inspect.ts';
import type { RemovedImage } from './image/store/remove.ts';
import type { TsboxError } from './kernel/index.ts';
import type { Plan } from './launch/index.ts';

/**
 * Takes a root filesystem archive into the store: a tar file, plain or compressed with gzip, zstd or xz.
 *
 * @param source a path, an http or https URL, or a stream
 * @param name what to call it, with or without a tag
 * @throws {TsboxError} with one line about what is wrong with it; nothing is kept then
 */
export async function importImage(
  source: string | Readable,
  name?: string,
  options?: ImportOptions,
): Promise<StoredImage> {
  // The parsers and decompressors are needed here only, and are the larger part of the code.
  const { importImage } = await import('./image/import.ts');
  const image = await importImage(source, name, options);
  noteImage('import', image.id, image.name);
  return image;
}

/**
 * Writes images into an archive that `tsbox load`, docker, podman and skopeo read. The same images make the same bytes.
 *
 * ```ts
 * await pipeline(await saveImages(['alpine']), createWriteStream('alpine.tar'));
 * ```
 *
 * @param references names, digests or ids. A name without a tag means all its tags
 * @param options.format `docker-archive` (default; it is an OCI image layout as well) or `oci-archive`
 * @returns the archive; the stream fails with STORE_CORRUPT where the store is damaged
 * @throws {TsboxError} IMAGE_NOT_FOUND, AMBIGUOUS_ID, STORE_CORRUPT
 */
export async function saveImages(references: readonly string[], options?: SaveOptions): Promise<Readable> {
  const { saveImages } = await import('./image/archive/index.ts');
  const archive = await saveImages(references, options);
  for (const reference of references) noteImage('save', reference, reference);
  return archive;
}

/**
 * Takes the images of an archive into the store: of `docker save`, `podman save`, `skopeo copy` or `saveImages`; plain, or in gzip, zstd or xz.
 *
 * @param source a path, an http or https URL, or a stream
 * @returns one for each name, and one for an image without any
 * @throws {TsboxError} with one line about what is wrong with it; nothing is kept then
 */
export async function loadImages(source: string | Readable, options?: LoadOptions): Promise<LoadedImage[]> {
  const { loadImages } = await import('./image/archive/index.ts');
  const loaded = await loadImages(source, options);
  for (const { id, name } of loaded) noteImage('load', id, name);
  return loaded;
}

/**
 * Sends an image to the registry that its name says, under its tag. What is there already is not sent, and what another repository of
 * that registry has is mounted from it. The manifest stays byte for byte what it is.
 *
 * @param name `localhost:5000/web:1`; the tag is `latest` where there is none
 * @throws {TsboxError} BAD_REFERENCE, IMAGE_NOT_FOUND, STORE_CORRUPT, REGISTRY_DENIED, REGISTRY_UNREACHABLE, REGISTRY_FAILED
 */
export async function pushImage(name: string, options?: PushOptions): Promise<PushedImage> {
  const { pushImage } = await import('./image/push/index.ts');
  const pushed = await pushImage(name, options);
  noteImage('push', name, name);
  return pushed;
}

/** Sends all tags of a repository, one after the other. As `pushImage`, but `name` has no tag. */
export async function pushAllTags(name: string, options?: PushOptions): Promise<PushedImage[]> {
  const { pushAllTags } = await import('./image/push/index.ts');
  return await pushAllTags(name, options);
}

/**
 * Removes a name, and what no other name needs. An id removes the image.
 *
 * @param options.force with all its names, and names of images that containers use
 * @throws {TsboxError} IMAGE_NOT_FOUND, AMBIGUOUS_ID, IMAGE_IN_USE, IMAGE_HAS_NAMES
 */
export async function removeImage(
  reference: string,
  options: { force?: boolean } = {},
): Promise<RemovedImage> {
  const { removeImage } = await import('./image/store/remove.ts');
  return noteRemoved(await removeImage(reference, { ...options, inUse: imageUser }));
}

/**
 * Gives an image one more name.
 *
 * @throws {TsboxError} IMAGE_NOT_FOUND, AMBIGUOUS_ID, BAD_REFERENCE
 */
export async function tagImage(source: string, target: string): Promise<StoredImage> {
  const { tagImage } = await import('./image/store/tag.ts');
  const image = tagImage(source, target);
  noteImage('tag', image.id, image.name);
  return image;
}

/**
 * What an image is, in the form of Docker's `image inspect`.
 *
 * @throws {TsboxError} IMAGE_NOT_FOUND, AMBIGUOUS_ID, STORE_CORRUPT, NO_PLATFORM
 */
export async function inspectImage(reference: string): Promise<ImageDetails> {
  const { inspectImage } = await import('./image/store/inspect.ts');
  return inspectImage(reference);
}

/**
 * How an image was made, the newest step first.
 *
 * @throws {TsboxError} IMAGE_NOT_FOUND, AMBIGUOUS_ID, STORE_CORRUPT, NO_PLATFORM
 */
export async function imageHistory(reference: string): Promise<{ id: string; entries: ImageHistory[] }> {
  const { imageHistory } = await import('./image/store/history.ts');
  return imageHistory(reference);
}

/**
 * The image of that name or id, whether it is unpacked or not.
 *
 * @throws {TsboxError} IMAGE_NOT_FOUND, AMBIGUOUS_ID, STORE_CORRUPT, NO_PLATFORM
 */
export async function findStoredImage(reference: string): Promise<StoredImage> {
  const { findStored } = await import('./image/store/find.ts');
  return findStored(reference).image;
}

/** The images that are so, the newest first. @param onDamaged told of those that cannot be read */
export async function filterImages(
  filters: ImageFilters,
  onDamaged?: (name: string, error: TsboxError) => void,
): Promise<StoredImage[]> {
  const { filterImages } = await import('./image/store/filter.ts');
  return filterImages(filters, onDamaged);
}

/** Removes the images that no container uses and that have lost their names; with `all`, those that have names too. */
export async function pruneImages(
  options: { all?: boolean; filters?: ImageFilters } = {},
): Promise<RemovedImage & { reclaimed: number }> {
  const { pruneImages } = await import('./image/store/prune.ts');
  return noteRemoved(await pruneImages({ ...options, inUse: imageUser }));
}

/** What images and containers take on this disk. */
export async function diskUsage(): Promise<DiskUsage> {
  const { diskUsage } = await import('./engine/disk-usage.ts');
  return diskUsage();
}

/**
 * Logs in to a registry: checks that it takes the credentials, and keeps them for `pullImage` and `pushImage` in a file that only this user can
 * read, in the form of Docker's `config.json`.
 *
 * @param registry `docker.io`, `ghcr.io`, `localhost:5000`
 * @param options.tlsVerify false: takes any certificate, and plain HTTP where there is no TLS
 * @returns what the registry is called, and the file: `TSBOX_AUTH_FILE`, or `~/.config/tsbox/auth.json`
 * @throws {TsboxError} LOGIN_FAILED, BAD_CREDENTIALS, BAD_REFERENCE, BAD_AUTH_FILE, REGISTRY_UNREACHABLE, REGISTRY_FAILED
 */
export async function login(
  registry: string,
  credentials: { username: string; password: string },
  options?: { tlsVerify?: boolean; signal?: AbortSignal },
): Promise<{ server: string; file: string }> {
  const { login } = await import('./image/credentials/login.ts');
  return await login(registry, credentials, options);
}

/**
 * Forgets what `login` keeps for a registry. What Docker keeps stays.
 *
 * @returns what the registry is called, and whether there was anything
 * @throws {TsboxError} BAD_REFERENCE, BAD_AUTH_FILE
 */
export async function logout(registry: string): Promise<{ server: string; removed: boolean }> {
  const { logout } = await import('./image/credentials/login.ts');
  return logout(registry);
}

/**
 * Gets an image from its registry into the store: its manifest for the platform, and what the store does not have yet of its layers. A second pull of
 * the same name, in whatever process, waits for the first and uses what it got.
 *
 * @param name `alpine`, `alpine:3.20`, `ghcr.io/owner/app@sha256:…`
 * @throws {TsboxError} BAD_REFERENCE, BAD_PLATFORM, MANIFEST_NOT_FOUND, NO_PLATFORM, BAD_MANIFEST, UNSUPPORTED_LAYER, BAD_BLOB, BAD_ARCHIVE,
 * UNSAFE_ARCHIVE, DISK_FULL, REGISTRY_DENIED, REGISTRY_UNREACHABLE, REGISTRY_FAILED. Nothing of it is left then.
 */
export async function pullImage(name: string, options?: PullOptions): Promise<PulledImage> {
  const { pullImage } = await import('./image/pull/index.ts');
  const image = await pullImage(name, options);
  noteImage('pull', image.name || name, image.name || name);
  return image;
}

/** What this host can and cannot do for containers. */
export async function doctor(): Promise<Check[]> {
  const { doctor } = await import('./engine/doctor/index.ts');
  return doctor();
}

/**
 * Starts a program in a running container and resolves once it runs. It ends with the thread that started it, and with the container.
 *
 * @param reference the container's name, id, or a unique beginning of its id
 * @throws {TsboxError} NO_CONTAINER, NOT_RUNNING, PAUSED, NO_USER, BAD_OPTION; `exitCode` is 127 or 126 where the program is not there
 *   or cannot be run, otherwise 125
 */
export async function exec(
  reference: string,
  command: readonly string[],
  options?: ExecOptions,
): Promise<ExecProcess> {
  const { exec } = await import('./engine/exec/index.ts');
  return exec(reference, command, options);
}

/**
 * Starts a program in a running container that goes on when this process ends, until it or the container ends. Its streams are /dev/null.
 *
 * @returns its PID on the host
 * @throws {TsboxError} as `exec` does
 */
export async function execDetached(
  reference: string,
  command: readonly string[],
  options?: ExecOptions,
): Promise<number> {
  const { execDetached } = await import('./engine/exec/index.ts');
  return execDetached(reference, command, options);
}

/**
 * Starts a program with a terminal in a running container that can be let go of (`detach`), and that goes on when this process ends.
 *
 * @throws {TsboxError} as `exec` does
 */
export async function execDetachable(
  reference: string,
  command: readonly string[],
  options: Omit<ExecOptions, 'tty'> = {},
): Promise<KeptProcess> {
  const { execDetachable } = await import('./engine/exec/index.ts');
  return execDetachable(reference, command, options);
}

/** What `exec` would do, without doing it. @throws {TsboxError} as `exec` does */
export async function explainExec(
  reference: string,
  command: readonly string[],
  options?: ExecOptions,
): Promise<Plan> {
  const { explainExecIn } = await import('./engine/exec/index.ts');
  return explainExecIn(reference, command, options);
}

function noteImage(action: string, id: string, name: string | undefined): void {
  noteEvents({ type: 'image', action, id, attributes: name ? { name } : {} });
}

function noteRemoved<T extends { untagged: string[]; deleted: string[] }>(removed: T): T {
  for (const name of removed.untagged) noteImage('untag', name, name);
  for (const id of removed.deleted) noteImage('delete', id, undefined);
  return removed;
}
