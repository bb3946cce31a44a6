import { badOption, printable, refuseNul } from './bad-option.ts';

/** `NAME=VALUE`, or `NAME` alone, which has no value: it takes that of tsbox's own environment. @throws BAD_OPTION */
export function parseEnvironment(flag: string, value: string): [name: string, value: string | undefined] {
  refuseNul(flag, value);
  const equals = value.indexOf('=');
  const name = equals < 0 ? value : value.slice(0, equals);
  if (name === '') throw badOption(flag, value, 'a variable needs a name', 'EDITOR=vi');
  return [name, equals < 0 ? undefined : value.slice(equals + 1)];
}

/** `KEY=VALUE`, or `KEY` alone for an empty value. @throws BAD_OPTION */
export function parseLabel(flag: string, value: string): [key: string, value: string] {
  refuseNul(flag, value);
  const equals = value.indexOf('=');
  const key = (equals < 0 ? value : value.slice(0, equals)).trimStart();
  if (key === '' || /\s/.test(key)) {
    throw badOption(flag, value, 'the key of a label is not empty and has no spaces', 'com.example.role=web');
  }
  return [key, equals < 0 ? '' : value.slice(equals + 1)];
}

/**
 * The variables of an environment file by Docker's rules: a `NAME=VALUE` a line, where the value is taken as it is, quotes and
 * trailing spaces too; empty lines and lines that begin with `#` are left out, as is space before a name; a name alone takes the value of
 * tsbox's own environment, and is left out where that has none.
 *
 * Source: docker/cli, pkg/kvfile.
 * @throws BAD_OPTION for an empty name, one with spaces in it, and for what is not UTF-8
 */
export function parseEnvironmentFile(
  flag: string,
  path: string,
  text: string,
  own: (name: string) => string | undefined,
): [name: string, value: string][] {
  const variables: [string, string][] = [];
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/);
  for (const [index, raw] of lines.entries()) {
    const line = raw.trimStart();
    if (line === '' || line.startsWith('#')) continue;
    const where = `line ${index + 1}`;
    if (line.includes('\ufffd')) throw badOption(flag, path, `${where} is not UTF-8`);
    if (line.includes('\0')) throw badOption(flag, path, `${where} holds a NUL character`);
    const equals = line.indexOf('=');
    const name = equals < 0 ? line : line.slice(0, equals);
    if (name === '') throw badOption(flag, path, `${where} has no name before the =`);
    if (/\s/.test(name))
      throw badOption(flag, path, `${where}: the name ${printable(name)} has spaces in it`);
    const value = equals < 0 ? own(name) : line.slice(equals + 1);
    if (value !== undefined) variables.push([name, value]);
  }
  return variables;
}
