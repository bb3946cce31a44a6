import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { fileVersion, TsboxError } from '../kernel/index.ts';
import type { SeccompFilter, Spec } from '../runtime/index.ts';
import { containersDirectory } from './paths.ts';
import { compiledDefault, seccompFilter } from './seccomp/index.ts';
import { parseJson } from './seccomp/json.ts';
import type { BuiltSpec } from './spec/index.ts';

/**
 * Writes a container's OCI configuration beside its record, `config.json`: as it runs, so that `exec` can do as the container does, and a
 * later `start` does the same again whatever became of the image's name, the environment or a profile's file.
 *
 * The default seccomp profile is not written out (17 KiB): the annotation says which it was.
 */
export function writeConfig(id: string, spec: Spec, seccomp: BuiltSpec['seccomp']): void {
  rewriteConfig(id, { ...spec, annotations: { ...spec.annotations, [SECCOMP]: seccomp.kind } });
}

/** One that `readConfig` gave, and that was changed. */
export function rewriteConfig(id: string, spec: Spec): void {
  const file = join(containersDirectory(), id, 'config.json');
  writeFileSync(`${file}.new`, toJson(spec), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** @throws {TsboxError} NO_CONFIG for a container of a version that wrote none, or that is being made */
export function readConfig(id: string): Spec {
  const file = join(containersDirectory(), id, 'config.json');
  try {
    const text = readFileSync(file, 'utf8');
    const spec = JSON.parse(text) as Spec;
    // Only here is a number of 64 bits more than a limit that was rounded when it was written.
    if (spec.linux.seccomp) spec.linux.seccomp = (parseJson(text, file) as Spec).linux.seccomp;
    return spec;
  } catch (error) {
    throw new TsboxError('NO_CONFIG', `the configuration of container ${id.slice(0, 12)} cannot be read`, {
      cause: error,
    });
  }
}

/**
 * The same for a program that asks often: as long as it is the same file, the very same object, which nobody may change.
 *
 * @throws {TsboxError} as `readConfig` does
 */
export function readConfigAgain(id: string): Spec {
  const file = join(containersDirectory(), id, 'config.json');
  const version = fileVersion(file);
  const there = known.get(file);
  if (version !== undefined && there?.version === version) return there.spec;
  const spec = readConfig(id);
  known.delete(file);
  // Asked again: it must be the version that was read.
  if (version !== undefined && fileVersion(file) === version) known.set(file, { version, spec });
  if (known.size > MOST) known.delete(known.keys().next().value as string);
  return spec;
}

const known = new Map<string, { version: string; spec: Spec }>();
const MOST = 16;

/** The filter that the container's processes have; undefined for none. */
export function seccompOf(config: Spec): SeccompFilter | undefined {
  const kind = config.annotations?.[SECCOMP] as BuiltSpec['seccomp']['kind'] | undefined;
  if (kind === 'unconfined') return undefined;
  if (config.linux.seccomp !== undefined) return seccompFilter(config.linux.seccomp);
  return compiledDefault(config.process.capabilities?.bounding ?? [], release());
}

const SECCOMP = 'tsbox.seccomp';

/** Arguments of system calls are 64 bits, which only a BigInt holds, and JSON has no word for those but digits. */
function toJson(value: unknown): string {
  try {
    // Ten times as fast as with a function for each part.
    return `${JSON.stringify(value)}\n`;
  } catch {
    return withBigInts(value);
  }
}

function withBigInts(value: unknown): string {
  let mark = 'bigint:';
  const marked = () =>
    JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? `${mark}${part}` : part));
  // A string of the configuration's own must not look like one.
  const plain = JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? 0 : part));
  while (plain.includes(mark)) mark = `#${mark}`;
  return `${marked().replaceAll(new RegExp(`"${mark}(-?\\d+)"`, 'g'), '$1')}\n`;
}
