import type { Option } from 'commander';
import { usageError } from '../usage.ts';

/**
 * Docker's other spellings of flags, in commander's: `--rm=false`, `-m=64m`, `-it=true`, `--net`. Only up to the image's name: what follows it
 * is the command's own.
 *
 * A flag that is switched off becomes `--no-…`. A flag whose value is optional (`--explain[=json]`) becomes `--explain=`, since otherwise
 * the image's name would be taken for the value.
 */
export function respell(args: readonly string[], options: readonly Option[]): string[] {
  const respelled: string[] = [];
  const rest = [...args];
  for (;;) {
    const arg = rest.shift();
    if (arg === undefined) return respelled;
    if (arg === '--' || arg === '-' || !arg.startsWith('-')) return [...respelled, arg, ...rest];
    respelled.push(...(arg.startsWith('--') ? long(arg, rest, options) : short(arg, rest, options)));
  }
}

const OTHER_NAMES: Record<string, string> = {
  '--net': '--network',
  '--net-alias': '--network-alias',
  '--dns-opt': '--dns-option',
};

function long(arg: string, rest: string[], options: readonly Option[]): string[] {
  const equals = arg.indexOf('=');
  const given = equals < 0 ? arg : arg.slice(0, equals);
  const value = equals < 0 ? undefined : arg.slice(equals + 1);
  const name = OTHER_NAMES[given] ?? given;
  const option = options.find((candidate) => candidate.long === name);
  if (option === undefined) return [arg];
  if (option.optional) return [`${name}=${value ?? ''}`];
  if (!option.required) return [switched(option, value)];
  return value === undefined ? [name, ...rest.splice(0, 1)] : [`${name}=${value}`];
}

/** A group such as `-it`, `-itm64m` or `-e=A=1`. */
function short(arg: string, rest: string[], options: readonly Option[]): string[] {
  const respelled: string[] = [];
  for (let at = 1; at < arg.length; at++) {
    const option = options.find((candidate) => candidate.short === `-${arg[at]}`);
    const after = arg.slice(at + 1);
    if (option === undefined) return [...respelled, `-${arg.slice(at)}`];
    if (option.required) {
      if (after === '') return [...respelled, `-${arg[at]}`, ...rest.splice(0, 1)];
      return [...respelled, `${option.long}=${after.replace(/^=/, '')}`];
    }
    if (after.startsWith('=')) return [...respelled, switched(option, after.slice(1))];
    respelled.push(`-${arg[at]}`);
  }
  return respelled;
}

/** The words are those of Go's strconv.ParseBool, which Docker's flags take. */
function switched(option: Option, value: string | undefined): string {
  const name = option.long ?? '';
  if (value === undefined || /^(1|t|true)$/i.test(value)) return name;
  if (/^(0|f|false)$/i.test(value)) return name.replace('--', '--no-');
  throw usageError('run', `${name}=${value}: true or false is meant`);
}
