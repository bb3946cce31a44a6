import { closeSync, rmSync, writeFileSync } from 'node:fs';
import { findImage } from '../image/index.ts';
import { TsboxError } from '../kernel/index.ts';
import type { Plan } from '../launch/index.ts';
import { planContainer } from '../runtime/index.ts';
import { writeConfig } from './config-file.ts';
import type { Observe } from './connected-streams.ts';
import type { Container, StartOptions } from './container.ts';
import {
  type ContainerDirectory,
  makeContainerDirectory,
  newContainerId,
  removeContainerDirectory,
} from './container-directory.ts';
import { noteEvents, ofContainer, ofNetworks, ofVolumes } from './events/note.ts';
import type { HealthCheck } from './health/config.ts';
import { imageFor } from './image-for.ts';
import { startJanitor } from './janitor.ts';
import type { NetworkStart, OpenNetwork } from './network/index.ts';
import { openIfNeeded } from './network/open-if-needed.ts';
import { newRecord } from './new-record.ts';
import { checkName, networkKind } from './options/index.ts';
import { kernelVersion, prepare, type Startable } from './prepare.ts';
import { prepareAlike } from './prepare-alike.ts';
import { identify } from './process-identity.ts';
import { writeFirstRecord, writeRecord } from './record.ts';
import { requireKernel, requireRoot } from './require-host.ts';
import type { RunOptions } from './run-options.ts';
import { RunningContainer } from './running-container.ts';
import { discardCgroup, endProcess, type Started, start } from './start.ts';
import { openStreams, openTerminalStreams, type Streams } from './streams.ts';
import { sweep } from './sweep.ts';
import { discardVolumes } from './volume/discard.ts';
import { mappedOwner, prepareWritableLayer } from './writable-layer.ts';

/**
 * Starts a container and resolves once its program runs.
 *
 * @param image a name, id or unique beginning of an id of an image in the store
 * @param command what to run instead of the image's command
 * @throws {TsboxError} where anything is wrong; nothing is left behind then. `exitCode` is 127 or 126 where the
 *   program is not there or cannot be run, otherwise 125.
 */
export async function run(
  image: string,
  command: readonly string[] = [],
  options: StartOptions = {},
): Promise<Container> {
  options.signal?.throwIfAborted();
  requireRoot();
  requireKernel(kernelVersion());
  const stored = await imageFor(image, options);
  if (options.name !== undefined) checkName('--name', options.name);
  const id = newContainerId();
  // Who may block starts one.
  const alike = options.mayBlock ? prepare : prepareAlike;
  const prepared = alike(stored, command, { rm: true, ...options }, id);
  const how = { timed: options.profile ?? false, mayBlock: options.mayBlock ?? false };
  return runPrepared(prepared, image, options, (streams, cloned, network) =>
    start(prepared, streams, how, cloned, network),
  );
}

/** The same from where nothing is left to be found out. @param begin carries out the plan, as `start` does */
export async function runPrepared(
  prepared: Startable,
  image: string,
  options: StartOptions,
  begin: (streams: Streams, cloned: (pid: number) => void, network?: NetworkStart) => Promise<Started>,
): Promise<Container> {
  const mayBlock = options.mayBlock ?? false;
  const { id } = prepared.input;
  startJanitor(endAll);
  const directory = makeDirectory(id, options.name);
  live.set(id, undefined);
  let streams: Streams | undefined;
  let started: Started | undefined;
  let network: OpenNetwork | undefined;
  let connecting: NetworkStart | undefined;
  try {
    if (options.cidfile !== undefined) writeCidfile(options.cidfile, id);
    const record = newRecord(prepared, directory.name, image, options);
    network = await openIfNeeded(record, prepared.built);
    if (network) record.network = network.recorded;
    // An image's check is anybody's; nothing of checks is loaded where there is none.
    if (options.healthCmd !== undefined || prepared.image.config.Healthcheck !== undefined)
      record.healthCheck = await healthCheckOf(options, prepared.image.config.Healthcheck);
    writeFirstRecord(record);
    prepareWritableLayer(directory.path, prepared.built.spec);
    if (record.volumes) (await import('./volume/attach.ts')).attachVolumes(record);
    prepared.makeCgroupParents();
    const log = record.rm ? undefined : await openLog(id, options);
    streams = chooseStreams(options, mappedOwner(prepared.built.spec), log !== undefined);
    let unwritten: unknown;
    connecting = network?.begin();
    const cloned = (pid: number) => {
      try {
        record.status = 'running';
        record.pid = pid;
        record.pidStart = identify(pid)?.start;
        record.started = new Date().toISOString();
        if (record.healthCheck) record.health = 'starting';
        writeRecord(record);
        // While the container makes itself: nobody waits for it.
        noteEvents(
          ofContainer(record, 'create'),
          ...ofNetworks(record, 'connect'),
          ...ofVolumes(record, 'mount'),
          ofContainer(record, 'start'),
        );
        writeConfig(id, prepared.built.spec, prepared.built.seccomp);
      } catch (error) {
        unwritten = error;
      }
      if (mayBlock) sweepOnce();
    };
    const starting = begin(streams, cloned, connecting);
    streams.release();
    started = await starting;
    if (unwritten !== undefined) throw unwritten;
    const container = new RunningContainer(
      started,
      prepared,
      directory,
      await streams.connect(log),
      record,
      mayBlock,
    );
    live.set(id, container);
    followSignal(container, options.signal);
    if (record.healthCheck)
      void (await import('./health/foreground.ts')).checkRegularly(container, record.healthCheck);
    if (!swept) setImmediate(sweepOnce);
    container.wait().then(
      () => live.delete(id),
      () => {},
    );
    return container;
  } catch (error) {
    if (started !== undefined) endProcess(started.pidfd);
    streams?.abandon();
    try {
      network?.release();
      await discardCgroup(prepared.input.cgroup?.path);
      if (options.cidfile !== undefined && !isCidfileError(error)) rmSync(options.cidfile, { force: true });
      discardVolumes({ id, ...(prepared.built.volumes && { volumes: prepared.built.volumes }) });
      removeContainerDirectory(id, directory.name);
      live.delete(id);
    } catch {
      // The first error is the one to tell. The next sweep tries again: the janitor's, if no other.
    } finally {
      closeSync(directory.fd);
    }
    throw error;
  } finally {
    connecting?.close();
  }
}

/** What `run` would do, without doing it: needs no root, makes nothing. @throws {TsboxError} as `run` does */
export function explain(image: string, command: readonly string[] = [], options: RunOptions = {}): Plan {
  const prepared = prepare(findImage(image), command, { rm: true, ...options }, newContainerId());
  const kind = networkKind(options);
  const network = {
    ...(kind === 'networks' && { networkSocket: 5 }),
    ...(kind === 'container' && { networkNamespace: 5 }),
  };
  const stdio = options.tty ? { terminalSocket: 3 } : { stdin: 0, stdout: 1, stderr: 2 };
  return planContainer({ ...prepared.input, ...network, stdio, ready: 4, reader: 6 });
}

/** Containers of this process that something is left of; undefined for one that is being started. */
const live = new Map<string, RunningContainer | undefined>();

/**
 * For a program that ends while its containers run, by `process.exit` or by an uncaught error: they end with it, and so does a worker
 * thread's. False where one was being started, which only the janitor can see the end of.
 */
function endAll(): boolean {
  if (live.size === 0) return true;
  const ended = [...live.values()].map((container) => container?.endNow() ?? false);
  sweep();
  return ended.every(Boolean);
}

/** A name may be that of a container whose tsbox was killed a moment ago: its janitor is not as fast as whoever starts it again. */
export function makeDirectory(id: string, name: string | undefined): ContainerDirectory {
  try {
    return makeContainerDirectory(id, name);
  } catch (error) {
    if (!(error instanceof TsboxError) || error.code !== 'NAME_IN_USE') throw error;
    sweep();
    return makeContainerDirectory(id, name);
  }
}

/**
 * Removes what others left that were killed together with their janitor. Once a process, and only when nobody waits for it: while the
 * container makes itself, or runs.
 */
function sweepOnce(): void {
  if (swept) return;
  swept = true;
  try {
    sweep();
  } catch {
    // Not this container's fault; `tsbox ps` and `tsbox rm` try again and say what is wrong.
  }
}

let swept = false;

async function healthCheckOf(options: StartOptions, image: unknown): Promise<HealthCheck | undefined> {
  return (await import('./health/config.ts')).healthCheck(options, image);
}

/** What is kept is kept with its output; what removes itself need not pay for that. */
async function openLog(id: string, options: RunOptions): Promise<Observe | undefined> {
  const { logSettings } = await import('./life/log-options.ts');
  const settings = logSettings(options);
  if (settings.maxSize < 0) return undefined;
  const { LogWriter } = await import('./life/log/write.ts');
  const writer = new LogWriter(id, settings);
  return (stream, name) => writer.follow(stream, name);
}

function chooseStreams(options: StartOptions, owner: number, throughUs: boolean): Streams {
  if (options.tty) return openTerminalStreams(options.size);
  const { stdin = 'pipe', stdout = 'pipe', stderr = 'pipe' } = options;
  return openStreams({ stdin, stdout, stderr }, owner, throughUs);
}

/** Docker writes no newline, and refuses a file that exists: it may be another container's. */
export function writeCidfile(path: string, id: string): void {
  try {
    writeFileSync(path, id, { flag: 'wx', mode: 0o644 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason = code === 'EEXIST' ? 'the file exists already; remove it or name another' : `${code}`;
    throw new TsboxError(CIDFILE, `--cidfile \`${path}\`: ${reason}`);
  }
}

function isCidfileError(error: unknown): boolean {
  return error instanceof TsboxError && error.code === CIDFILE;
}

const CIDFILE = 'BAD_CIDFILE';

function followSignal(container: Container, signal: AbortSignal | undefined): void {
  if (signal === undefined) return;
  const kill = () => container.kill('SIGKILL').catch(() => {});
  if (signal.aborted) kill();
  signal.addEventListener('abort', kill);
  container
    .wait()
    .finally(() => signal.removeEventListener('abort', kill))
    .catch(() => {});
}
