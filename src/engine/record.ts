import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { containersDirectory } from './paths.ts';

/** What is known of a container, as it is on disk. */
export interface ContainerRecord {
  id: string;
  name: string;
  /** The image's name as it was asked for. */
  image: string;
  /** Digest of the image's config. */
  imageId: string;
  command: string[];
  /** RFC 3339. */
  created: string;
  labels: Record<string, string>;
  status: 'created' | 'running' | 'exited';
  /** On the host; while it runs. */
  pid?: number;
  /** RFC 3339; once it has ended. */
  finished?: string;
  /** Once it has ended; 137 where tsbox was killed and the container with it. */
  exitCode?: number;
  oomKilled?: boolean;
  /** The absolute directory of its cgroup. */
  cgroup?: string;
  /** Whether it is removed when it ends. */
  rm: boolean;
  /** The ids of the host that it has, with `userns`. */
  idRange?: { hostID: number; size: number };
}

/** Writes the record aside and renames it, so that a reader, or a crash, sees the old one or the new one. The caller holds the container's lock. */
export function writeRecord(record: ContainerRecord): void {
  const file = join(containersDirectory(), record.id, FILE);
  writeFileSync(`${file}.new`, `${JSON.stringify(record)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** Undefined where there is none: the container is just being made or removed. */
export function readRecord(id: string): ContainerRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(join(containersDirectory(), id, FILE), 'utf8'));
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

const FILE = 'container.json';
const ID = /^[0-9a-f]{64}$/;
