import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HealthCheck } from './health/config.ts';
import type { RecordedNetwork } from './network/recorded.ts';
import { containersDirectory } from './paths.ts';
import type { RunOptions } from './run-options.ts';
import type { VolumeUse } from './volume/use.ts';

/** What a container can be in the middle of. docs/lifecycle.md draws how one becomes another. */
export type ContainerStatus = 'created' | 'running' | 'paused' | 'restarting' | 'exited' | 'dead';

/** What is known of a container, as it is on disk. Records of older versions have less, so whatever was added later is optional. */
export interface ContainerRecord {
  id: string;
  name: string;
  /** The image's name as it was asked for. */
  image: string;
  /** Digest of the image's config. */
  imageId: string;
  /** The image's layers, absolute directories, lowest first. */
  layers?: string[];
  command: string[];
  /** RFC 3339. */
  created: string;
  labels: Record<string, string>;
  status: ContainerStatus;
  /** As they were given, for those who start it again or describe it. */
  options?: RunOptions;
  /** Whether it was made by `create` or `run -d`: it has a life of its own, and while it runs a monitor beside it. */
  detached?: boolean;
  /** On the host; while it runs. */
  pid?: number;
  /** When that process began, in clock ticks since boot: field 22 of proc_pid_stat(5). A PID alone may be another's by now. */
  pidStart?: number;
  /** The process that takes care of it: the monitor, or while it waits for its restart, whoever waits. */
  monitor?: { pid: number; start: number };
  /** proc_sys_kernel(5), random/boot_id: of the boot that `pid` and `monitor` belong to. */
  bootId?: string;
  /** What `stop` sends first, a number. */
  stopSignal?: number;
  /** Seconds that it then has; -1 for ever. */
  stopTimeout?: number;
  /** RFC 3339; when it was last started. */
  started?: string;
  /** RFC 3339; once it has ended. */
  finished?: string;
  /** Once it has ended; 137 where tsbox was killed and the container with it. */
  exitCode?: number;
  oomKilled?: boolean;
  /** Why its last start failed. */
  error?: string;
  /** How often its restart policy has started it again since somebody did. */
  restartCount?: number;
  /** How long it is to wait now before its restart, in milliseconds. */
  restartDelay?: number;
  /** Whether it ends because somebody stopped or killed it: then its restart policy leaves it alone. */
  stopRequested?: boolean;
  /** Whether it is to run again after the boot that it was stopped for. */
  resume?: boolean;
  /** How its health is checked, if it is. */
  healthCheck?: HealthCheck;
  /** What its health check says. */
  health?: 'starting' | 'healthy' | 'unhealthy';
  /** The absolute directory of its cgroup. */
  cgroup?: string;
  /** Whether it is removed when it ends. */
  rm: boolean;
  /** The volumes that are mounted in it. */
  volumes?: VolumeUse[];
  /** How it is connected, and while it runs, to what. */
  network?: RecordedNetwork;
  /** The ids of the host that it has, with `userns`. */
  idRange?: { hostID: number; size: number };
}

/** Writes the record aside and renames it, so that a reader, or a crash, sees the old one or the new one. The caller holds the container's lock. */
export function writeRecord(record: ContainerRecord): void {
  const file = join(containersDirectory(), record.id, FILE);
  writeFileSync(`${file}.new`, `${JSON.stringify(record)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/**
 * The first record of a container, before anything but its directory is there. Half a record, after a crash, is as good as none: what was made until then is
 * removed.
 */
export function writeFirstRecord(record: ContainerRecord): void {
  const file = join(containersDirectory(), record.id, FILE);
  writeFileSync(file, `${JSON.stringify(record)}\n`, { mode: 0o600, flag: 'wx' });
}

/**
 * Undefined where there is none: the container is just being made or removed. Where the file is damaged (a power failure, a full disk of an older
 * version) the one before it counts, and that is said once.
 */
export function readRecord(id: string): ContainerRecord | undefined {
  const file = `${containersDirectory()}/${id}/${FILE}`;
  const record = readOne(id, file);
  if (record !== 'damaged') return record;
  const old = readOne(id, `${file}.old`);
  if (old === 'damaged' || old === undefined) return undefined;
  if (!said.has(id)) {
    said.add(id);
    process.emitWarning(`${file} is damaged; the state before the last change counts`);
  }
  return old;
}

/** Whether the record itself can be read, and not only the one before it. */
export function isWhole(id: string): boolean {
  return typeof readOne(id, join(containersDirectory(), id, FILE)) === 'object';
}

/** The containers whose damaged record this process has spoken of. */
const said = new Set<string>();

function readOne(id: string, file: string): ContainerRecord | 'damaged' | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
  return parseRecord(id, text) ?? 'damaged';
}

/** Undefined where it is damaged. */
export function parseRecord(id: string, text: string): ContainerRecord | undefined {
  try {
    const record = JSON.parse(text);
    return record?.id === id ? (record as ContainerRecord) : undefined;
  } catch {
    return undefined;
  }
}

export function containerIds(): string[] {
  try {
    return readdirSync(containersDirectory()).filter((name) => ID.test(name));
  } catch {
    return [];
  }
}

/** The record's file. */
export const FILE = 'container.json';
const ID = /^[0-9a-f]{64}$/;
