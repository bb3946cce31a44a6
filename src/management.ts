/**
 * The library's part about what is done to containers that exist, each function loaded when it is called: `tsbox run --rm` needs none of
 * them.
 */
export type { CopyOptions } from './engine/copy/index.ts';
export type { ContainerDescription } from './engine/inspect/index.ts';
export type { ContainerSample, SampleOptions, UpdateOptions } from './engine/manage/index.ts';
export type { BoundPort } from './network/nat/port.ts';

import type { Writable } from 'node:stream';
import type { CopyOptions } from './engine/copy/index.ts';
import type { ContainerDescription } from './engine/inspect/index.ts';
import type { ContainerSample, SampleOptions, UpdateOptions } from './engine/manage/index.ts';
import type { BoundPort } from './network/nat/port.ts';

const manage = () => import('./engine/manage/index.ts');

/**
 * Holds all processes of a container still, and resolves with its id when they are.
 *
 * @throws {TsboxError} NO_CONTAINER, AMBIGUOUS_ID, NOT_RUNNING, PAUSED, CGROUP_FAILED where they do not stop within 10 s; then they go on
 */
export async function pauseContainer(reference: string): Promise<string> {
  return (await manage()).pauseContainer(reference);
}

/** Lets them go on. @throws {TsboxError} NO_CONTAINER, AMBIGUOUS_ID, NOT_RUNNING, NOT_PAUSED */
export async function unpauseContainer(reference: string): Promise<string> {
  return (await manage()).unpauseContainer(reference);
}

/**
 * Gives a container another name, whether it runs or not.
 *
 * @throws {TsboxError} NO_CONTAINER, AMBIGUOUS_ID, BAD_OPTION, NAME_IN_USE
 */
export async function renameContainer(reference: string, name: string): Promise<void> {
  return (await manage()).renameContainer(reference, name);
}

/**
 * Changes a container's limits, at once where it runs, and its restart policy. What is not mentioned stays as it is. Resolves with its id.
 *
 * @throws {TsboxError} NO_CONTAINER, AMBIGUOUS_ID, BAD_OPTION, BAD_LIMIT, LIMIT_UNAVAILABLE; then nothing has changed
 */
export async function updateContainer(reference: string, changes: UpdateOptions): Promise<string> {
  return (await manage()).updateContainer(reference, changes);
}

/**
 * The processes of a container as ps(1) on the host would show them.
 *
 * @param options of ps: none for `-ef`; also `aux` and `-o COLUMN[,COLUMN…]`
 * @throws {TsboxError} NO_CONTAINER, AMBIGUOUS_ID, NOT_RUNNING, BAD_OPTION
 */
export async function topProcesses(
  reference: string,
  options?: readonly string[],
): Promise<{ titles: string[]; processes: string[][] }> {
  return (await manage()).topProcesses(reference, options);
}

/**
 * What containers use, all read at one moment, once a second.
 *
 * ```ts
 * for await (const samples of sampleContainers()) console.table(samples);
 * ```
 *
 * @param references none for all that run, also those that are started later
 * @throws {TsboxError} NO_CONTAINER, AMBIGUOUS_ID
 */
export async function* sampleContainers(
  references?: readonly string[],
  options?: SampleOptions,
): AsyncGenerator<ContainerSample[]> {
  yield* (await manage()).sampleContainers(references, options);
}

/** The ports of the host that lead to a container while it runs, as `publish` asked for them. @throws {TsboxError} NO_CONTAINER, AMBIGUOUS_ID */
export async function containerPorts(reference: string): Promise<BoundPort[]> {
  return (await manage()).containerPorts(reference);
}

/**
 * The same as `docker port` has them: `80/tcp -> 0.0.0.0:8080`.
 *
 * @param port `80` or `80/tcp`: only where this one is, `0.0.0.0:8080`
 * @throws {TsboxError} NO_CONTAINER, AMBIGUOUS_ID, BAD_OPTION, NOT_PUBLISHED
 */
export async function publishedPorts(reference: string, port?: string): Promise<string[]> {
  return (await manage()).publishedPorts(reference, port);
}

/**
 * Everything about a container, in the form that Docker's API gives it.
 *
 * @param options.size also how large its writable layer is
 * @throws {TsboxError} NO_CONTAINER, AMBIGUOUS_ID
 */
export async function inspectContainer(
  reference: string,
  options?: { size?: boolean },
): Promise<ContainerDescription> {
  const { inspectContainer } = await import('./engine/inspect/index.ts');
  return inspectContainer(reference, options);
}

/**
 * Copies a file or a directory of a container, running or not, by Docker's rules for what it is then called. No link leads out of the container.
 *
 * @param source in the container; with `/.` at the end the content of a directory
 * @param destination a path on the host, or a stream that gets a tar archive
 * @returns bytes of the archive
 * @throws {TsboxError} NO_CONTAINER, NO_SUCH_FILE, COPY_CONFLICT
 */
export async function copyFromContainer(
  reference: string,
  source: string,
  destination: string | Writable,
  options?: CopyOptions,
): Promise<number> {
  const { copyFromContainer } = await import('./engine/copy/index.ts');
  return await copyFromContainer(reference, source, destination, options);
}

/**
 * Copies a file or a directory into a container, running or not.
 *
 * @param source a path on the host, with `/.` at the end the content of a directory; or a tar archive as a stream, whose ids are kept
 * @param destination in the container; for an archive a directory that is there
 * @returns bytes of the archive
 * @throws {TsboxError} NO_CONTAINER, NO_SUCH_FILE, COPY_CONFLICT, READ_ONLY, BAD_ARCHIVE, UNSAFE_ARCHIVE
 */
export async function copyToContainer(
  reference: string,
  source: string | AsyncIterable<Uint8Array>,
  destination: string,
  options?: CopyOptions,
): Promise<number> {
  const { copyToContainer } = await import('./engine/copy/index.ts');
  return await copyToContainer(reference, source, destination, options);
}
