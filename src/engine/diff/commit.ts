import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { applyChanges } from '../../image/changes.ts';
import { commitLayer } from '../../image/commit.ts';
import { parseReference } from '../../image/index.ts';
import type { ImageConfig, StoredImage } from '../../image/stored-image.ts';
import { O, TsboxError } from '../../kernel/index.ts';
import type { Spec } from '../../runtime/spec.ts';
import { readConfig } from '../config-file.ts';
import { toContainer } from '../copy/owners.ts';
import { pack } from '../copy/pack.ts';
import { noteEvents, ofContainer } from '../events/note.ts';
import { findContainer } from '../find-container.ts';
import { pauseContainer, unpauseContainer } from '../manage/index.ts';
import { containersDirectory } from '../paths.ts';
import type { ContainerRecord } from '../record.ts';
import { type Change, findChanges } from './changes.ts';

export interface CommitOptions {
  author?: string;
  /** A word for the image's history. */
  message?: string;
  /** Instructions in the manner of a Dockerfile: `CMD ["sh"]`, `ENV A=1`. */
  changes?: string[];
  /** Whether the container is held still meanwhile. Default true. */
  pause?: boolean;
}

/**
 * Makes an image of a container: its image's layers, and one of what it has written. What is in its volumes and other mounts is not part of it.
 *
 * @param name with or without a tag; without one the image has only its id
 * @throws {TsboxError} NO_CONTAINER, AMBIGUOUS_ID, IMAGE_NOT_FOUND, BAD_REFERENCE, BAD_CHANGE, DIFF_UNSUPPORTED
 */
export async function commitContainer(
  reference: string,
  name?: string,
  options: CommitOptions = {},
): Promise<StoredImage> {
  const record = findContainer(reference);
  const target = name === undefined ? undefined : parseReference(name);
  // Before the work: a bad change would be a pity after it.
  applyChanges({}, options.changes ?? []);
  const paused = options.pause !== false && record.status === 'running' && (await hold(record));
  try {
    const spec = readConfig(record.id);
    const image = await commitLayer({
      base: record.imageId,
      layer: packLayer(record, spec, findChanges(record, spec)),
      name: target?.name,
      configure: (config) => applyChanges(configOf(config, record, spec), options.changes ?? []),
      createdBy: record.command.join(' '),
      author: options.author,
      message: options.message,
    });
    noteEvents(ofContainer(record, 'commit', { comment: options.message ?? '', imageID: image.id }));
    return image;
  } finally {
    if (paused) release(record.id);
  }
}

/** False where it has ended meanwhile, or somebody else holds it: then it is left to him. */
async function hold({ id }: ContainerRecord): Promise<boolean> {
  try {
    await pauseContainer(id);
    return true;
  } catch (error) {
    const { code } = error as TsboxError;
    if (code === 'NOT_RUNNING' || code === 'PAUSED' || code === 'RESTARTING') return false;
    throw error;
  }
}

function release(id: string): void {
  try {
    unpauseContainer(id);
  } catch {
    // It has ended meanwhile.
  }
}

function packLayer(record: ContainerRecord, spec: Spec, changes: readonly Change[]): Readable {
  const included = new Set<string>();
  for (const { kind, path } of changes) {
    if (kind !== 'D' && path.slice(path.lastIndexOf('/') + 1).startsWith('.wh.'))
      throw new TsboxError('DIFF_UNSUPPORTED', `/${path} has a name that in a layer means a deleted file`);
    included.add(path);
  }
  const upper = openSync(join(containersDirectory(), record.id, 'upper'), O.O_RDONLY | O.O_DIRECTORY);
  const options = {
    owner: toContainer(spec),
    asLayer: true,
    include: (path: string) => included.has(path),
  };
  const layer = Readable.from(pack(upper, '', options)).pipe(createGzip());
  layer.once('close', () => closeSync(upper));
  return layer;
}

/** The image's, with what the container was started with, as in Docker. */
function configOf(image: ImageConfig, record: ContainerRecord, spec: Spec): ImageConfig {
  const { options = {} } = record;
  const given = Object.keys(options.env ?? {});
  const nameOf = (variable: string) => variable.split('=', 1)[0] as string;
  const env = [
    ...(image.Env ?? []).filter((variable) => !given.includes(nameOf(variable))),
    ...(spec.process.env ?? []).filter((variable) => given.includes(nameOf(variable))),
  ];
  const entrypoint =
    options.entrypoint === undefined
      ? (image.Entrypoint ?? [])
      : [options.entrypoint].flat().filter((word) => word !== '');
  const command = record.command.slice(entrypoint.length);
  const labels = { ...image.Labels, ...options.labels };
  return {
    ...image,
    ...(options.user && { User: options.user }),
    ...(env.length > 0 && { Env: env }),
    ...(options.entrypoint !== undefined && { Entrypoint: entrypoint }),
    ...(command.length > 0 && { Cmd: command }),
    ...(options.workdir && { WorkingDir: options.workdir }),
    ...(options.stopSignal && { StopSignal: options.stopSignal }),
    ...(Object.keys(labels).length > 0 && { Labels: labels }),
  };
}
