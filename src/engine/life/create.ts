import { closeSync } from 'node:fs';
import { TsboxError } from '../../kernel/index.ts';
import { writeConfig } from '../config-file.ts';
import { type ContainerDirectory, newContainerId, removeContainerDirectory } from '../container-directory.ts';
import { noteEvents, ofContainer } from '../events/note.ts';
import { healthCheck } from '../health/config.ts';
import { imageFor } from '../image-for.ts';
import { newRecord } from '../new-record.ts';
import { checkName } from '../options/index.ts';
import { kernelVersion, prepare } from '../prepare.ts';
import { type ContainerRecord, writeRecord } from '../record.ts';
import { requireKernel, requireRoot } from '../require-host.ts';
import { makeDirectory, writeCidfile } from '../run.ts';
import type { RunHooks, RunOptions } from '../run-options.ts';
import { discardVolumes } from '../volume/discard.ts';
import { prepareWritableLayer } from '../writable-layer.ts';
import { Handle } from './handle.ts';
import type { DetachedContainer } from './interface.ts';
import { logSettings } from './log-options.ts';
import { parseRestartPolicy } from './restart-policy.ts';

/**
 * Makes a container without starting it. It stays until it is removed, or, with `rm`, until it has run once.
 *
 * @param image a name, id or unique beginning of an id of an image in the store
 * @param command what to run instead of the image's command
 * @throws {TsboxError} where anything is wrong; nothing is left behind then
 */
export async function create(
  image: string,
  command: readonly string[] = [],
  options: RunOptions & RunHooks = {},
): Promise<DetachedContainer> {
  const { directory, record } = await makeContainer(image, command, options);
  closeSync(directory.fd);
  return new Handle(record.id, record.name);
}

/** The same with the owner's lock still held, for who starts it at once. */
export async function makeContainer(
  image: string,
  command: readonly string[],
  options: RunOptions & RunHooks,
): Promise<{ directory: ContainerDirectory; record: ContainerRecord }> {
  requireRoot();
  requireKernel(kernelVersion());
  checkLife(options);
  const stored = await imageFor(image, options);
  if (options.name !== undefined) checkName('--name', options.name);
  const id = newContainerId();
  const health = healthCheck(options, stored.config.Healthcheck);
  const prepared = prepare(stored, command, { ...options, rm: options.rm ?? false }, id);
  const directory = makeDirectory(id, options.name);
  try {
    if (options.cidfile !== undefined) writeCidfile(options.cidfile, id);
    const record: ContainerRecord = {
      ...newRecord(prepared, directory.name, image, options),
      rm: options.rm ?? false,
      detached: true,
      ...(health && { healthCheck: health }),
    };
    prepareWritableLayer(directory.path, prepared.built.spec);
    writeConfig(id, prepared.built.spec, prepared.built.seccomp);
    // Last: with its record it is a container.
    writeRecord(record);
    if (record.volumes) (await import('../volume/attach.ts')).attachVolumes(record);
    noteEvents(ofContainer(record, 'create'));
    return { directory, record };
  } catch (error) {
    discardVolumes({ id, ...(prepared.built.volumes && { volumes: prepared.built.volumes }) });
    removeContainerDirectory(id, directory.name);
    closeSync(directory.fd);
    throw error;
  }
}

/** What only a container with a life of its own can have. @throws {TsboxError} BAD_OPTION */
function checkLife(options: RunOptions): void {
  const policy = parseRestartPolicy(options.restart);
  logSettings(options);
  if (policy.name !== 'no' && options.rm)
    throw new TsboxError('BAD_OPTION', 'conflicting options: --restart and --rm');
}
