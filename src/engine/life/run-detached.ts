import { closeSync, rmSync } from 'node:fs';
import { removeContainerDirectory } from '../container-directory.ts';
import type { RunHooks, RunOptions } from '../run-options.ts';
import { discardVolumes } from '../volume/discard.ts';
import { makeContainer } from './create.ts';
import { Handle } from './handle.ts';
import type { DetachedContainer } from './interface.ts';
import { type StartRequest, startDetached } from './start-detached.ts';

/**
 * Makes a container and starts it. Where it cannot be started nothing is left, and the owner's lock is held without a gap from the directory's making
 * to the container's end.
 *
 * @throws {TsboxError} with exit code 127 or 126 where the program is not there or cannot be run
 */
export async function runDetached(
  image: string,
  command: readonly string[] = [],
  options: RunOptions & RunHooks = {},
  request: StartRequest = {},
): Promise<DetachedContainer> {
  const { directory, record } = await makeContainer(image, command, options);
  try {
    await startDetached(record, directory.fd, request);
    return new Handle(record.id, record.name);
  } catch (error) {
    discardVolumes(record);
    removeContainerDirectory(record.id, record.name);
    if (options.cidfile !== undefined) rmSync(options.cidfile, { force: true });
    throw error;
  } finally {
    closeSync(directory.fd);
  }
}
