import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TsboxError } from '../kernel/error.ts';
import { toJson } from '../kernel/to-json.ts';
import type { Config } from './config/index.ts';
import { isAlive, type Life } from './life.ts';

/** What is known of a container: `state.json` in its directory, `<root>/<id>/`. Written aside and renamed, with the directory locked. */
export interface StateRecord {
  ociVersion: string;
  id: string;
  bundle: string;
  rootfs: string;
  /** When it was made, in ISO 8601. */
  created: string;
  /** Of who made it. */
  uid: number;
  annotations: Record<string, string>;
  /** The absolute directory of its group. */
  cgroup: string;
  /** Where systemd has made that: the scope. */
  unit?: string;
  /** Who makes it, as long as it is being made. */
  maker?: Life;
  /** Its first process. */
  init?: Life;
  /** Whether it has hooks of these kinds: then its configuration must be read. One of an older tsbox does not say of the first. */
  poststart?: boolean;
  poststop: boolean;
  /** What was done otherwise than asked; `state` shows it. */
  warnings?: string[];
}

export type Status = 'creating' | 'created' | 'running' | 'paused' | 'stopped';

/** Where containers are. */
export interface Place {
  root: string;
}

export const directoryOf = ({ root }: Place, id: string) => join(root, id);

/** @throws {TsboxError} BAD_ID */
export function checkId(id: string): string {
  if (/^[A-Za-z0-9_+.-]{1,255}$/.test(id) && id !== '.' && id !== '..') return id;
  throw failure('BAD_ID', `invalid container ID format: ${JSON.stringify(id.slice(0, 80))}`);
}

/** An error of this command: exit code 1, as runc's. */
export function failure(code: string, message: string, advice?: string): TsboxError {
  return new TsboxError(code, message, { exitCode: 1, ...(advice !== undefined && { advice }) });
}

/** @throws {TsboxError} NO_CONTAINER, in the words that engines look for */
export function readState(place: Place, id: string): StateRecord {
  checkId(id);
  try {
    return JSON.parse(readFileSync(join(directoryOf(place, id), 'state.json'), 'utf8')) as StateRecord;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw failure('NO_CONTAINER', `container ${id} does not exist`);
    throw failure('BAD_STATE', `the state of container ${id} cannot be read: ${(error as Error).message}`);
  }
}

export function writeState(place: Place, state: StateRecord): void {
  writeWhole(join(directoryOf(place, state.id), 'state.json'), `${JSON.stringify(state)}\n`);
}

/** Nobody sees half of it. */
export function writeWhole(file: string, content: string, mode = 0o600): void {
  const aside = `${file}.${process.pid}.new`;
  try {
    writeFileSync(aside, content, { mode });
    renameSync(aside, file);
  } catch (error) {
    rmSync(aside, { force: true });
    throw error;
  }
}

/** The configuration that it was made with, as it was checked then. Filters have numbers of 64 bits, hence as text. */
export function writeConfig(place: Place, id: string, config: Config | string): void {
  const json = typeof config === 'string' ? config : configText(config);
  writeWhole(join(directoryOf(place, id), 'config.json'), json);
}

export function configText(config: Config): string {
  return toJson(config, (number) => ({ [BIGINT]: String(number) }));
}

export function readConfigOf(place: Place, id: string): Config {
  const text = readFileSync(join(directoryOf(place, id), 'config.json'), 'utf8');
  if (!text.includes(BIGINT_IN_JSON)) return JSON.parse(text) as Config;
  return JSON.parse(text, (_, part) =>
    typeof part === 'object' && part !== null && typeof part[BIGINT] === 'string'
      ? BigInt(part[BIGINT])
      : part,
  ) as Config;
}

/** No key of a configuration has a NUL. */
const BIGINT = '\0bigint';
const BIGINT_IN_JSON = '\\u0000bigint';

export function statusOf(place: Place, state: StateRecord): Status {
  if (state.init === undefined)
    return state.maker !== undefined && isAlive(state.maker) ? 'creating' : 'stopped';
  if (!isAlive(state.init)) return 'stopped';
  if (existsSync(join(directoryOf(place, state.id), GATE))) return 'created';
  return isFrozen(state.cgroup) ? 'paused' : 'running';
}

/** What it waits at, until `start`. */
export const GATE = 'exec.fifo';
/** What tells `start` of the exec. */
export const RESULT = 'result.fifo';

function isFrozen(cgroup: string): boolean {
  try {
    return readFileSync(join(cgroup, 'cgroup.events'), 'latin1').includes('frozen 1');
  } catch {
    return false;
  }
}

export function listIds({ root }: Place): string[] {
  try {
    return readdirSync(root, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .sort();
  } catch {
    return [];
  }
}

/** The directory of a new container. @throws {TsboxError} where there is one of this name */
export function makeDirectory(place: Place, id: string): string {
  const directory = directoryOf(place, checkId(id));
  mkdirSync(place.root, { recursive: true, mode: 0o711 });
  try {
    mkdirSync(directory, { mode: 0o711 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw failure('ID_IN_USE', `container with given ID already exists: ${id}`);
  }
  return directory;
}
