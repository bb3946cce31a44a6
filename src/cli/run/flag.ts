import { didYouMean } from '../../index.ts';
import { usageError } from '../usage.ts';

/** The headings of `tsbox run --help`. */
export type Group =
  | 'Container'
  | 'Program'
  | 'Terminal'
  | 'Limits'
  | 'Files'
  | 'Network'
  | 'Namespaces'
  | 'Privileges'
  | 'Seeing what happens';

/** A flag of the command line and how its values become an option of type `T`. */
export interface Flag<T> {
  group: Group;
  /** As commander reads it: `-m, --memory <bytes>`. */
  flags: string;
  help: string;
  /**
   * @param values one for each time the flag was given, at least one
   * @param flag its long name, for errors
   */
  read(values: string[], flag: string): T;
}

/** A flag without a value. Commander keeps it as true or false, so `read` is never called with anything else. */
export function toggle(group: Group, flags: string, help: string): Flag<boolean> {
  return { group, flags, help, read: (values) => values.at(-1) === 'true' };
}

/** One value; the last one given counts. */
export function text(group: Group, flags: string, help: string): Flag<string> {
  return { group, flags, help, read: last };
}

/** A value each time it is given. */
export function texts(group: Group, flags: string, help: string): Flag<string[]> {
  return { group, flags, help, read: (values) => values };
}

export function integer(group: Group, flags: string, help: string): Flag<number> {
  return {
    group,
    flags,
    help,
    read(values, flag) {
      const value = last(values);
      if (!/^[+-]?\d+$/.test(value)) throw wrong(flag, value, 'not a whole number');
      return Number(value);
    },
  };
}

export function oneOf<const T extends string>(
  words: readonly T[],
  group: Group,
  flags: string,
  help: string,
): Flag<T> {
  return {
    group,
    flags,
    help,
    read(values, flag) {
      const value = last(values);
      const word = words.find((known) => known === value);
      if (word === undefined)
        throw wrong(flag, value, `not ${words.join(' or ')}${didYouMean(value, words)}`);
      return word;
    },
  };
}

/**
 * `NAME=VALUE` each time it is given; the last one of a name counts.
 *
 * @param bare what a NAME without `=` means: nothing given here, it is an error
 */
export function pairs(group: Group, flags: string, help: string): Flag<Record<string, string>>;
export function pairs<T extends string | undefined>(
  group: Group,
  flags: string,
  help: string,
  bare: T,
): Flag<Record<string, string | T>>;
export function pairs(
  group: Group,
  flags: string,
  help: string,
  ...bare: [(string | undefined)?]
): Flag<Record<string, string | undefined>> {
  return {
    group,
    flags,
    help,
    read(values, flag) {
      const entries = values.map((value): [string, string | undefined] => {
        const equals = value.indexOf('=');
        if (equals === 0 || value === '') throw wrong(flag, value, 'the name is missing');
        if (equals > 0) return [value.slice(0, equals), value.slice(equals + 1)];
        if (bare.length === 0) throw wrong(flag, value, 'not NAME=VALUE');
        return [value, bare[0]];
      });
      // Not by assignment, which would lose a variable whose name is __proto__.
      return Object.fromEntries(entries);
    },
  };
}

function last(values: string[]): string {
  return values.at(-1) ?? '';
}

function wrong(flag: string, value: string, problem: string): Error {
  return usageError('run', `${flag} ${JSON.stringify(value)}: ${problem}`);
}
