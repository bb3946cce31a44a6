import { closeSync, mkdirSync, openSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { lockWithin, O, removeTree } from '../../kernel/index.ts';
import { volumesDirectory } from '../paths.ts';
import type { ContainerRecord } from '../record.ts';
import { copyTree } from './copy-tree.ts';
import { withImageDirectory } from './image-tree.ts';
import { findVolume, makeVolume, readVolume, type VolumeRecord, withVolumesLock } from './store.ts';
import { openSubpath } from './subpath.ts';
import type { VolumeUse } from './use.ts';
import { usersOf } from './users.ts';

/**
 * Makes the volumes of a container that are not there, and fills those that are empty with what the image has at their place, as Docker does: owners, modes and
 * attributes too. Before each start: what was cut off the last time is done then.
 *
 * One of which only a directory is mounted must be there, with that directory: nobody can want a new one.
 *
 * The container's record must be on disk, and name them: from then on nobody removes them.
 */
export function attachVolumes(record: ContainerRecord): void {
  for (const use of record.volumes ?? []) {
    const { subpath } = use;
    if (subpath !== undefined) {
      const { name, options } = findVolume(use.name);
      // For a message that says it: the plan looks for itself.
      closeSync(
        openSubpath(`volume ${name}`, options.device ?? join(volumesDirectory(), name, '_data'), subpath),
      );
      continue;
    }
    const volume = withVolumesLock(() => readVolume(use.name) ?? make(use));
    if (!use.noCopy && volume.options.device === undefined) fill(record, use);
  }
}

function make({ name, anonymous }: VolumeUse): VolumeRecord {
  const volume: VolumeRecord = {
    name,
    driver: 'local',
    created: new Date().toISOString(),
    // As Docker marks them.
    labels: anonymous ? { 'com.docker.volume.anonymous': '' } : {},
    options: {},
    ...(anonymous && { anonymous }),
  };
  makeVolume(volume);
  return volume;
}

/** Under the volume's own lock: of two containers that start with it, one fills it, and the other waits until it is full. */
function fill(record: ContainerRecord, { name, destination }: VolumeUse): void {
  const directory = join(volumesDirectory(), name);
  const data = join(directory, '_data');
  if (!isEmpty(data)) return;
  // Somebody may be copying gigabytes into it.
  const lock = lockWithin(directory, `volume ${name}`, 600);
  try {
    if (!isEmpty(data)) return;
    withImageDirectory(record.layers ?? [], destination, (source) => {
      const others = usersOf(name).filter(({ id, status }) => id !== record.id && status !== 'created');
      if (others.some(({ status }) => status !== 'exited')) return copyInto(source, data);
      // Aside, so that a volume is full or empty, also after a crash. Not where somebody sees the directory that this would replace.
      const aside = join(directory, '.fill');
      removeTree(aside);
      mkdirSync(aside, 0o755);
      copyInto(source, aside);
      renameSync(aside, data);
    });
  } finally {
    lock.release();
  }
}

function copyInto(source: number, directory: string): void {
  const fd = openSync(directory, O.O_RDONLY | O.O_DIRECTORY | O.O_NOFOLLOW);
  try {
    copyTree(source, fd);
  } finally {
    closeSync(fd);
  }
}

function isEmpty(directory: string): boolean {
  return readdirSync(directory).length === 0;
}
