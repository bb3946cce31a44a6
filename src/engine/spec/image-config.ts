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

function bad(field: string, value: unknown, problem: string): TsboxError {
  const given = printable(JSON.stringify(value) ?? '');
  return new TsboxError('BAD_IMAGE', `the image's config has a broken ${field}: ${given} is ${problem}`);
}
