/**
 * The library's part about containers with a life of their own, each function loaded when it is called: `tsbox run --rm` needs none of them.
 */
export type {
  Attachment,
  DetachedContainer,
  LogLine,
  LogOptions,
  StopOptions,
} from './engine/life/index.ts';

import type { ExitStatus } from './engine/container.ts';
import type {
  Attachment,
  DetachedContainer,
  LogLine,
  LogOptions,
  StartRequest,
  StopOptions,
} from './engine/life/index.ts';
import type { ContainerRecord } from './engine/record.ts';
import type { RunHooks, RunOptions } from './engine/run-options.ts';

const life = () => import('./engine/life/index.ts');

/**
 * Makes a container without starting it.
 *
 * ```ts
 * const web = await create('alpine', ['httpd', '-f'], { name: 'web', restart: 'always' });
 * await web.start();
 * for await (const { stream, text } of web.logs({ follow: true })) console.log(stream, text.toString());
 * ```
 *
 * @param image a name, id or unique beginning of an id of an image in the store
 * @param command what to run instead of the image's command
 * @throws {TsboxError} where anything is wrong; nothing is left behind then
 */
export async function create(
  image: string,
  command?: readonly string[],
  options?: RunOptions & RunHooks,
): Promise<DetachedContainer> {
  return (await life()).create(image, command, options);
}

/**
 * Makes a container and starts it, in one step: where it cannot be started, nothing is left. It goes on when this program ends.
 *
 * @throws {TsboxError} with exit code 127 or 126 where the program is not there or cannot be run
 */
export async function runDetached(
  image: string,
  command?: readonly string[],
  options?: RunOptions & RunHooks,
  request?: StartRequest,
): Promise<DetachedContainer> {
  return (await life()).runDetached(image, command, options, request);
}

/** The container of that name, id or unique beginning of an id, whoever made it. @throws {TsboxError} NO_CONTAINER, AMBIGUOUS_ID */
export async function container(reference: string): Promise<DetachedContainer> {
  return (await life()).container(reference);
}

/**
 * Starts a container that was made before. One that runs already is left as it is.
 *
 * @throws {TsboxError} NO_CONTAINER, AMBIGUOUS_ID, NOT_DETACHED; with exit code 127 or 126 where the program is not there or cannot be run
 */
export async function startContainer(reference: string, request?: StartRequest): Promise<ContainerRecord> {
  return (await life()).startContainer(reference, request);
}

/** Asks a container to end, and kills it after the time-out. @throws {TsboxError} NO_CONTAINER, AMBIGUOUS_ID, BAD_OPTION */
export async function stopContainer(reference: string, options?: StopOptions): Promise<ExitStatus> {
  return (await life()).stopContainer(reference, options);
}

/** Stops a container, if it runs, and starts it. @throws {TsboxError} as `stopContainer` and `startContainer` do */
export async function restartContainer(reference: string, options?: StopOptions): Promise<ContainerRecord> {
  return (await life()).restartContainer(reference, options);
}

/** Sends a signal, SIGKILL by default; returns the id. @throws {TsboxError} NO_CONTAINER, AMBIGUOUS_ID, NOT_RUNNING, BAD_OPTION */
export async function killContainer(reference: string, signal?: string | number): Promise<string> {
  return (await life()).killContainer(reference, signal);
}

/** Waits until a container has ended. @throws {TsboxError} NO_CONTAINER, AMBIGUOUS_ID */
export async function waitForContainer(reference: string): Promise<ExitStatus> {
  return (await life()).waitForContainer(reference);
}

/** Connects to the streams or the terminal of a container that runs. @throws {TsboxError} NO_CONTAINER, NOT_RUNNING, NOT_DETACHED */
export async function attach(reference: string): Promise<Attachment> {
  return (await life()).attach(reference);
}

/** What a container has written, as many lines at a time as are there. @throws {TsboxError} NO_CONTAINER, AMBIGUOUS_ID, BAD_OPTION */
export async function* logs(reference: string, options?: LogOptions): AsyncGenerator<LogLine[], void> {
  yield* (await life()).readLogBatches(reference, options);
}

/** Starts what `restart: 'always'` and `'unless-stopped'` promise, after a boot. Each with its error, where it could not be started. */
export async function startAfterBoot(): Promise<{ id: string; name: string; error?: unknown }[]> {
  return (await life()).startAfterBoot();
}

/** Stops all that run, for a shutdown; what `restart` promises holds after the boot. Each with its error, where it could not be stopped. */
export async function stopForShutdown(): Promise<{ id: string; name: string; error?: unknown }[]> {
  return (await life()).stopForShutdown();
}

/** @internal What a container's monitor becomes when the container has ended. */
export async function containerEnded(id: string): Promise<void> {
  return (await life()).ended(id);
}

/** @internal What a container's monitor runs every interval. */
export async function checkHealth(id: string): Promise<boolean> {
  const { checkHealth } = await import('./engine/health/check.ts');
  return checkHealth(id);
}

/** @internal What it becomes when a wait for a restart is over. */
export async function restartNow(id: string): Promise<void> {
  return (await life()).restartNow(id);
}
