import { posix } from 'node:path';
import { TsboxError } from '../../kernel/index.ts';
import { printable } from '../options/index.ts';

/** What an image says about how to run it, with the OCI image specification's names (config.md, "config"). */
export interface ImageConfig {
  User?: string;
  Env?: string[];
  Entrypoint?: string[];
  Cmd?: string[];
  WorkingDir?: string;
  StopSignal?: string;
  Labels?: Record<string, string>;
  Volumes?: Record<string, object>;
  ExposedPorts?: Record<string, object>;
}

/**
 * The same, with every field of the type it should have: an image's JSON is anybody's. `null` is as good as absent (Docker writes it).
 *
 * @throws BAD_IMAGE
 */
export function checkImageConfig(config: ImageConfig): ImageConfig {
  return {
    User: text(config.User, 'User'),
    Env: texts(config.Env, 'Env'),
    Entrypoint: texts(config.Entrypoint, 'Entrypoint'),
    Cmd: texts(config.Cmd, 'Cmd'),
    WorkingDir: text(config.WorkingDir, 'WorkingDir'),
    StopSignal: text(config.StopSignal, 'StopSignal'),
    Labels: config.Labels,
    Volumes: volumes(config.Volumes),
  };
}

function text(value: unknown, field: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string' || value.includes('\0')) throw bad(field, value, 'not a string without NUL');
  return value;
}

function texts(value: unknown, field: string): string[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) throw bad(field, value, 'not a list of strings');
  return value.map((each) => text(each ?? '', field) as string);
}

/** Each becomes a directory of the container's, so each must be a path, and there must not be any number of them. */
function volumes(value: unknown): Record<string, object> | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'object' || Array.isArray(value)) throw bad('Volumes', value, 'not an object');
  const paths = Object.keys(value);
  if (paths.length > MOST_VOLUMES) throw bad('Volumes', paths.length, `more than ${MOST_VOLUMES}`);
  const cleaned = paths.map((path) => {
    if (!path.startsWith('/') || path.includes('\0') || path.length > 4000)
      throw bad('Volumes', path, 'not an absolute path');
    return posix.join('/', path).replace(/(?<=.)\/$/, '');
  });
  return Object.fromEntries(cleaned.filter((path) => path !== '/').map((path) => [path, {}]));
}

/** Real images have a handful. */
const MOST_VOLUMES = 128;

function bad(field: string, value: unknown, problem: string): TsboxError {
  const given = printable(JSON.stringify(value) ?? '');
  return new TsboxError('BAD_IMAGE', `the image's config has a broken ${field}: ${given} is ${problem}`);
}
