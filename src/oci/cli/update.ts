import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { parseJson } from '../../kernel/json.ts';
import { readJson, readResources } from '../config/index.ts';
import { failure } from '../state.ts';
import { update as change } from '../update.ts';
import type { Call } from './call.ts';
import { expect, type Flags, parseFlags } from './flags.ts';

export async function update({ place, args }: Call): Promise<undefined> {
  const { flags, rest } = parseFlags(args, { ...KINDS, resources: 'string' }, { r: 'resources' });
  const [id = ''] = expect(rest, ['container-id']);
  const file = flags.string('resources');
  const value = file === undefined ? fromFlags(flags) : file === '-' ? fromStdin() : readJson(file);
  await change(place, id, readResources(value, 'resources'));
}

function fromStdin(): unknown {
  const bytes = readFileSync(0);
  if (!isUtf8(bytes)) throw failure('BAD_CONFIG', 'resources: not UTF-8');
  return parseJson(bytes.toString('utf8'), 'resources');
}

/** By flag: where in `resources` it goes; the last ones are text. */
const PLACES: Record<string, [part: string, name: string, isText?: true]> = {
  memory: ['memory', 'limit'],
  'memory-reservation': ['memory', 'reservation'],
  'memory-swap': ['memory', 'swap'],
  'cpu-shares': ['cpu', 'shares'],
  'cpu-share': ['cpu', 'shares'],
  'cpu-quota': ['cpu', 'quota'],
  'cpu-period': ['cpu', 'period'],
  'cpu-burst': ['cpu', 'burst'],
  'cpu-idle': ['cpu', 'idle'],
  'pids-limit': ['pids', 'limit'],
  'blkio-weight': ['blockIO', 'weight'],
  'cpuset-cpus': ['cpu', 'cpus', true],
  'cpuset-mems': ['cpu', 'mems', true],
};
const KINDS = Object.fromEntries(Object.keys(PLACES).map((name) => [name, 'string' as const]));

function fromFlags(flags: Flags): object {
  const found: Record<string, Record<string, unknown>> = {};
  for (const [flag, [part, name, isText]] of Object.entries(PLACES)) {
    const given = flags.string(flag);
    if (given === undefined || given === '') continue;
    found[part] ??= {};
    (found[part] as Record<string, unknown>)[name] = isText ? given : size(flag, given);
  }
  return found;
}

/** `512m`, as in Docker, or a number. */
function size(flag: string, given: string): number {
  const [, digits, unit = ''] = /^(-?\d{1,18})([bkmg]?)$/i.exec(given) ?? [];
  if (digits === undefined) throw failure('BAD_OPTION', `--${flag}: ${JSON.stringify(given)} is no number`);
  return Number(digits) * 1024 ** Math.max(0, 'bkmg'.indexOf(unit.toLowerCase()));
}
