import { closeSync, fstatSync, mkdirSync, openSync, renameSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { lockFile } from '../../kernel/index.ts';
import { storeRoot } from '../paths.ts';
import type { ContainerRecord } from '../record.ts';

/** Something that has happened. */
export interface StoreEvent {
  /** RFC 3339, in nanoseconds. */
  time: string;
  type: 'container' | 'image' | 'network' | 'volume';
  /** Docker's word: `start`, `die`, `pull`, `health_status: healthy`. */
  action: string;
  /** Of the container, the image or the network; a volume's name. */
  id: string;
  /** `name`, `image`, `exitCode` and others, and a container's labels. */
  attributes: Record<string, string>;
}

export type NewEvent = Omit<StoreEvent, 'time'>;

/**
 * Writes down what has happened, each by whoever did it: a line an event, all with one write to a file that is only appended to, so lines of several
 * processes never mix. The first begins with a line break of its own: on a full disk somebody may have left half a line before it. Two files of 4 MiB are kept. That it cannot be written (a full disk) must not stop what it tells of.
 */
export function noteEvents(...events: NewEvent[]): void {
  try {
    const fd = openJournal();
    try {
      const time = now();
      writeSync(fd, `\n${events.map((event) => `${JSON.stringify({ time, ...event })}\n`).join('')}`);
      if (fstatSync(fd).size > LARGEST) beginAnother(fd);
    } finally {
      closeSync(fd);
    }
  } catch {
    // As said above.
  }
}

/** What is said of a container in each of its events. */
export function ofContainer(
  record: Pick<ContainerRecord, 'id' | 'name' | 'image' | 'labels'>,
  action: string,
  more: Record<string, string> = {},
): NewEvent {
  const { id, name, image, labels } = record;
  return { type: 'container', action, id, attributes: { ...labels, image, name, ...more } };
}

/** What is said where a container comes into its networks, or leaves them. */
export function ofNetworks(
  { id, network }: Pick<ContainerRecord, 'id' | 'network'>,
  action: 'connect' | 'disconnect',
): NewEvent[] {
  return (network?.leases ?? []).map(({ network: name, networkId, driver }) => ({
    type: 'network',
    action,
    id: networkId,
    attributes: { container: id, name, type: driver },
  }));
}

/** What is said of a container's volumes where it starts, and where it ends. */
export function ofVolumes(
  { id, volumes = [] }: Pick<ContainerRecord, 'id' | 'volumes'>,
  action: 'mount' | 'unmount',
): NewEvent[] {
  return volumes.map(({ name, destination, readOnly = false }) => ({
    type: 'volume',
    action,
    id: name,
    attributes: {
      container: id,
      driver: 'local',
      // A volume has no propagation of its own, as `inspect` says too.
      ...(action === 'mount' && { destination, propagation: '', 'read/write': String(!readOnly) }),
    },
  }));
}

export function journalDirectory(): string {
  return join(storeRoot(), 'events');
}

export const JOURNAL = 'journal';
export const OLDER = 'journal.1';
const LARGEST = 4 * 2 ** 20;

function openJournal(): number {
  const path = join(journalDirectory(), JOURNAL);
  try {
    return openSync(path, 'a', 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    mkdirSync(journalDirectory(), { recursive: true, mode: 0o700 });
    return openSync(path, 'a', 0o600);
  }
}

/** Of two that find it too large, the slower one would put an empty file in the place of the full one: hence the lock, and the second look. */
function beginAnother(fd: number): void {
  const directory = journalDirectory();
  const lock = lockFile(directory, 'exclusive', { wait: false });
  if (lock === undefined) return;
  try {
    const path = join(directory, JOURNAL);
    if (statSync(path).ino === fstatSync(fd).ino) renameSync(path, join(directory, OLDER));
  } finally {
    lock.release();
  }
}

/**
 * As exact as the clock that JavaScript has; of the wall clock as it is now, which may have been set since this process began. The digits below a millisecond
 * only keep what one process does in its order.
 */
function now(): string {
  const milliseconds = Date.now();
  // Not of `performance`, which Node loads at its first use: 2 ms.
  const fraction = process.hrtime()[1] % 1_000_000;
  last = {
    milliseconds,
    fraction:
      milliseconds === last.milliseconds
        ? Math.min(Math.max(fraction, last.fraction + 1), 999_999)
        : fraction,
  };
  return new Date(milliseconds).toISOString().replace('Z', `${String(last.fraction).padStart(6, '0')}Z`);
}

let last = { milliseconds: 0, fraction: 0 };
