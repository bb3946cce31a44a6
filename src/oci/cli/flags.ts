import { failure } from '../state.ts';

/** What a flag takes: nothing, a string, or a string each time it is given. */
export type Kind = 'bool' | 'string' | 'list';
export type Kinds = Record<string, Kind>;

export interface Flags {
  is(name: string): boolean;
  string(name: string): string | undefined;
  list(name: string): string[];
  /** @throws {TsboxError} BAD_OPTION */
  count(name: string): number;
}

/**
 * Go's flags, as runc has them: one dash or two, `=` or the next argument, until the first argument that is no flag, or `--`.
 *
 * @param aliases of one letter
 * @throws {TsboxError} BAD_OPTION
 */
export function parseFlags(
  args: readonly string[],
  kinds: Kinds,
  aliases: Record<string, string> = {},
): { flags: Flags; rest: string[] } {
  const found = new Map<string, string[]>();
  let index = 0;
  for (; index < args.length; index++) {
    const argument = args[index] as string;
    if (argument === '--') {
      index++;
      break;
    }
    const [, name, value] = /^--?([^-=][^=]*)(?:=(.*))?$/s.exec(argument) ?? [];
    if (name === undefined) break;
    const full = Object.hasOwn(aliases, name) ? (aliases[name] as string) : name;
    const kind = Object.hasOwn(kinds, full) ? kinds[full] : undefined;
    if (kind === undefined) throw failure('BAD_OPTION', `flag provided but not defined: -${name}`);
    if (kind === 'bool') {
      found.set(full, [String(readBool(full, value))]);
      continue;
    }
    const given = value ?? args[++index];
    if (given === undefined) throw failure('BAD_OPTION', `flag needs an argument: -${name}`);
    found.set(full, kind === 'list' ? [...(found.get(full) ?? []), given] : [given]);
  }
  return { flags: reader(found), rest: args.slice(index) };
}

function readBool(name: string, value = 'true'): boolean {
  if (/^(true|1|t)$/i.test(value)) return true;
  if (/^(false|0|f)$/i.test(value)) return false;
  throw failure('BAD_OPTION', `invalid boolean value ${JSON.stringify(value)} for -${name}`);
}

function reader(found: ReadonlyMap<string, string[]>): Flags {
  const string = (name: string) => found.get(name)?.[0];
  return {
    is: (name) => string(name) === 'true',
    string,
    list: (name) => found.get(name) ?? [],
    count: (name) => {
      const text = string(name) ?? '0';
      if (!/^\d{1,4}$/.test(text) || Number(text) > 1000)
        throw failure('BAD_OPTION', `invalid value ${JSON.stringify(text)} for flag -${name}`);
      return Number(text);
    },
  };
}

/** The arguments that are left. @throws {TsboxError} where there are fewer, or more */
export function expect(rest: readonly string[], names: readonly string[], optional = 0): string[] {
  if (rest.length < names.length - optional)
    throw failure('USAGE', `a ${names[rest.length]} is missing: expected ${names.join(' ')}`);
  if (rest.length > names.length)
    throw failure('USAGE', `unexpected argument ${JSON.stringify(rest[names.length])}`);
  return [...rest];
}
