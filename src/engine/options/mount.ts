import { posix } from 'node:path';
import type { Mount } from '../../runtime/spec.ts';
import { didYouMean } from '../../suggest.ts';
import type { Host } from '../host.ts';
import { badOption } from './bad-option.ts';
import { bindMount, propagations, sourcePath } from './bind.ts';
import { parseBytes } from './bytes.ts';
import { parseCsvLine } from './csv.ts';
import { checkDestination } from './destination.ts';
import { tmpfsOptions } from './tmpfs.ts';
import { isVolumeName, type UnnamedUse, volumeOptions } from './volume.ts';

/**
 * Docker's long form of a mount: `type=bind,source=/srv,target=/data,readonly`, `type=volume,source=NAME,target=/data` or
 * `type=tmpfs,target=/tmp,tmpfs-size=64m`. A volume without a source has no name, and goes with its container.
 *
 * Source: docker/cli, opts/mount.go.
 * @throws BAD_OPTION, NO_BIND_SOURCE
 */
export function parseMount(flag: string, value: string, host: Host): Mount | UnnamedUse {
  const fields = readFields(flag, value);
  const type = (fields.get('type') ?? 'volume').toLowerCase();
  if (type !== 'bind' && type !== 'tmpfs' && type !== 'volume')
    throw badOption(flag, value, `no such type${didYouMean(type, ['bind', 'volume', 'tmpfs'])}`, example);
  for (const key of fields.keys()) {
    if (keys[key] !== 'any' && !keys[key]?.split(' ').includes(type)) {
      throw badOption(flag, value, `${key} is not for type=${type}`, example);
    }
  }
  const target = fields.get('target');
  if (!target) throw badOption(flag, value, 'target is missing', example);
  const destination = checkDestination(flag, value, target, example);
  const readOnly = truth(flag, value, fields, 'readonly');
  if (type === 'volume') return volume(flag, value, fields, destination, readOnly);
  return type === 'bind'
    ? bind(flag, value, fields, destination, readOnly, host)
    : tmpfs(flag, value, fields, destination, readOnly);
}

const example = 'type=bind,source=/srv/data,target=/data,readonly';

/** Which key is for which types. */
const keys: Record<string, string> = {
  type: 'any',
  target: 'any',
  readonly: 'any',
  consistency: 'any',
  source: 'bind volume',
  'bind-propagation': 'bind',
  'bind-nonrecursive': 'bind',
  'bind-recursive': 'bind',
  'volume-nocopy': 'volume',
  'volume-subpath': 'volume',
  'tmpfs-size': 'tmpfs',
  'tmpfs-mode': 'tmpfs',
};
const aliases: Record<string, string> = {
  src: 'source',
  dst: 'target',
  destination: 'target',
  ro: 'readonly',
};
/** What may stand alone, for true. */
const switches = new Set(['readonly', 'bind-nonrecursive', 'volume-nocopy']);

function readFields(flag: string, value: string): Map<string, string> {
  const parts = parseCsvLine(value);
  if (parts === undefined) throw badOption(flag, value, 'a quote is not closed', example);
  const fields = new Map<string, string>();
  for (const part of parts) {
    const equals = part.indexOf('=');
    const given = equals < 0 ? part : part.slice(0, equals);
    const key = Object.hasOwn(aliases, given) ? (aliases[given] as string) : given;
    if (!Object.hasOwn(keys, key)) {
      const known = [...Object.keys(keys), ...Object.keys(aliases)];
      throw badOption(
        flag,
        value,
        `no such key: ${JSON.stringify(given)}${didYouMean(given, known)}`,
        example,
      );
    }
    if (equals < 0 && !switches.has(key)) throw badOption(flag, value, `${key} needs a value`, example);
    if (fields.has(key)) throw badOption(flag, value, `${key} is given twice`, example);
    fields.set(key, equals < 0 ? 'true' : part.slice(equals + 1));
  }
  return fields;
}

function truth(flag: string, value: string, fields: Map<string, string>, key: string): boolean {
  const text = (fields.get(key) ?? 'false').toLowerCase();
  if (['true', 't', '1'].includes(text)) return true;
  if (['false', 'f', '0'].includes(text)) return false;
  throw badOption(flag, value, `${key} is true or false`, example);
}

function volume(
  flag: string,
  value: string,
  fields: Map<string, string>,
  destination: string,
  readOnly: boolean,
): UnnamedUse {
  const name = fields.get('source') ?? '';
  if (name !== '' && !isVolumeName(name))
    throw badOption(
      flag,
      value,
      'source is not the name of a volume',
      'type=volume,source=data,target=/data',
    );
  const noCopy = truth(flag, value, fields, 'volume-nocopy');
  const subpath = fields.get('volume-subpath');
  return {
    ...(name !== '' && { name }),
    destination,
    ...volumeOptions(readOnly, noCopy, []),
    ...(subpath !== undefined && { subpath: checkSubpath(flag, value, subpath, name) }),
  };
}

/** What a link in the volume makes of it, the kernel sees to. */
function checkSubpath(flag: string, value: string, subpath: string, name: string): string {
  const refuse = (problem: string) =>
    badOption(
      flag,
      value,
      `volume-subpath ${problem}`,
      'type=volume,source=data,target=/data,volume-subpath=a/b',
    );
  if (name === '') throw refuse('needs a source: a new volume has no directories');
  if (subpath.includes('\0')) throw refuse('has a NUL in it');
  const path = posix.normalize(subpath).replace(/\/$/, '');
  if (subpath === '' || path.startsWith('/') || /^\.\.(\/|$)/.test(path))
    throw refuse('is no relative path in the volume');
  return path;
}

function bind(
  flag: string,
  value: string,
  fields: Map<string, string>,
  destination: string,
  readOnly: boolean,
  host: Host,
): Mount {
  const source = fields.get('source');
  if (!source) throw badOption(flag, value, 'source is missing', example);
  if (!/^\.{0,2}(\/|$)/.test(source))
    throw badOption(flag, value, 'source must be an absolute path', example);
  const propagation = (fields.get('bind-propagation') ?? 'rprivate').toLowerCase();
  if (!propagations.includes(propagation)) {
    const problem = `no such bind-propagation: ${JSON.stringify(propagation)}`;
    throw badOption(flag, value, `${problem}${didYouMean(propagation, propagations)}`, example);
  }
  const recursion = fields.get('bind-recursive') ?? 'enabled';
  if (!['enabled', 'disabled', 'writable', 'readonly'].includes(recursion)) {
    throw badOption(flag, value, 'bind-recursive is enabled, disabled, writable or readonly', example);
  }
  return bindMount(
    flag,
    value,
    {
      source: sourcePath(flag, value, source, host),
      destination,
      readOnly,
      recursive: recursion !== 'disabled' && !truth(flag, value, fields, 'bind-nonrecursive'),
      readOnlyRecursive: recursion !== 'writable',
      propagation,
      options: [],
    },
    host,
  );
}

function tmpfs(
  flag: string,
  value: string,
  fields: Map<string, string>,
  destination: string,
  readOnly: boolean,
): Mount {
  const words: string[] = readOnly ? ['ro'] : [];
  const size = fields.get('tmpfs-size');
  if (size !== undefined)
    words.push(`size=${parseBytes(flag, size, 'type=tmpfs,target=/tmp,tmpfs-size=64m')}`);
  const mode = fields.get('tmpfs-mode');
  if (mode !== undefined) words.push(`mode=${mode}`);
  return { destination, type: 'tmpfs', source: 'tmpfs', options: tmpfsOptions(flag, value, words) };
}
