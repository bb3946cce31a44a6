import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { lockFile, lockWithin, randomHex, removeTree, TsboxError } from '../../kernel/index.ts';
import { noteEvents } from '../events/note.ts';
import { didYouMean } from '../options/index.ts';
import { volumesDirectory } from '../paths.ts';

/** What is known of a volume, as it is on disk. */
export interface VolumeRecord {
  name: string;
  driver: 'local';
  /** RFC 3339. */
  created: string;
  labels: Record<string, string>;
  /** As they were given to `volume create -o`. */
  options: Record<string, string>;
  /** Nobody named it. */
  anonymous?: boolean;
}

/** Does something while nobody else makes or removes a volume. @param change must be synchronous */
export function withVolumesLock<T>(change: () => T): T {
  const directory = volumesDirectory();
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const lock = lockWithin(directory, 'the directory of volumes');
  try {
    return change();
  } finally {
    lock.release();
  }
}

/** Undefined where there is none of that name. */
export function readVolume(name: string): VolumeRecord | undefined {
  if (!NAME.test(name)) return undefined;
  const directory = join(volumesDirectory(), name);
  try {
    const record = JSON.parse(readFileSync(join(directory, 'volume.json'), 'utf8')) as VolumeRecord;
    if (record.name === name) return record;
  } catch {
    // Below.
  }
  const status = statSync(directory, { throwIfNoEntry: false });
  if (status === undefined) return undefined;
  // It is a volume all the same, of which only the note is damaged: what is in it is somebody's.
  return { name, driver: 'local', created: status.mtime.toISOString(), labels: {}, options: {} };
}

/** @throws {TsboxError} NO_VOLUME */
export function findVolume(name: string): VolumeRecord {
  const volume = readVolume(name);
  if (volume !== undefined) return volume;
  throw new TsboxError('NO_VOLUME', `no such volume: ${name}${didYouMean(name, volumeNames())}`, {
    advice: '`tsbox volume ls` lists them',
  });
}

/** In the order of their names. */
export function allVolumes(): VolumeRecord[] {
  return volumeNames()
    .map(readVolume)
    .filter((volume) => volume !== undefined);
}

export function volumeNames(): string[] {
  try {
    return readdirSync(volumesDirectory())
      .filter((name) => NAME.test(name))
      .sort();
  } catch {
    return [];
  }
}

/** Made aside and renamed: a volume is there with its note, or not at all. Call it under the lock. */
export function makeVolume(volume: VolumeRecord): void {
  const directory = volumesDirectory();
  sweepUnfinished();
  const aside = join(directory, `.new-${volume.name}`);
  mkdirSync(aside, { mode: 0o700 });
  mkdirSync(join(aside, '_data'), 0o755);
  writeFileSync(join(aside, 'volume.json'), `${JSON.stringify(volume)}\n`, { mode: 0o600 });
  renameSync(aside, join(directory, volume.name));
  noteEvents({ type: 'volume', action: 'create', id: volume.name, attributes: { driver: 'local' } });
}

/**
 * Takes a volume out of sight. Call it under the lock.
 *
 * @returns removes what is in it, which may take long and needs no lock; what is killed in between, the next who makes or removes a volume removes
 */
export function setVolumeAside(name: string): () => void {
  sweepUnfinished();
  const aside = join(volumesDirectory(), `.gone-${randomHex(8)}`);
  const path = join(volumesDirectory(), name);
  if (!existsSync(path)) return () => {};
  renameSync(path, aside);
  noteEvents({ type: 'volume', action: 'destroy', id: name, attributes: { driver: 'local' } });
  const lock = lockFile(aside, 'exclusive');
  return () => {
    removeTree(aside);
    lock.release();
  };
}

/** What others left that were killed: nobody holds the lock of it. Under the lock of all volumes, nobody is just about to take it. */
function sweepUnfinished(): void {
  const directory = volumesDirectory();
  for (const name of readdirSync(directory)) {
    if (!name.startsWith('.new-') && !name.startsWith('.gone-')) continue;
    const path = join(directory, name);
    const lock = lockFile(path, 'exclusive', { wait: false });
    if (lock === undefined) continue;
    removeTree(path);
    lock.release();
  }
}

/** What `--volume` takes for a name too. It is a directory's name: this keeps `..` and `/` out. */
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}$/;
