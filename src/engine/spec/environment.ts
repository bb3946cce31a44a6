import type { Host } from '../host.ts';
import { badOption, parseEnvironmentFile, refuseNul } from '../options/index.ts';
import type { RunOptions } from '../run-options.ts';

/** Docker's search path, for an image that has none of its own. */
export const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * The program's environment as `NAME=VALUE`, from the least to the most particular: PATH, HOSTNAME and (with a terminal) TERM; the
 * image's; the files' of `--env-file`; `--env`'s; last, HOME, where nothing has set it. A later value takes the earlier one's place in the list.
 *
 * @throws BAD_OPTION
 */
export function buildEnvironment(
  options: Pick<RunOptions, 'env' | 'envFile' | 'tty'>,
  image: readonly string[],
  identity: { hostname: string; home: string },
  host: Host,
): string[] {
  const variables = new Map<string, string>([
    ['PATH', defaultPath],
    ['HOSTNAME', identity.hostname],
  ]);
  if (options.tty) variables.set('TERM', 'xterm');
  for (const each of image) {
    const equals = each.indexOf('=');
    if (equals > 0) variables.set(each.slice(0, equals), each.slice(equals + 1));
  }
  addVariables(variables, options, host);
  if (!variables.has('HOME')) variables.set('HOME', identity.home);
  return [...variables].map(([name, value]) => `${name}=${value}`);
}

/** What was asked for on top of what is there. @throws BAD_OPTION */
export function addVariables(
  variables: Map<string, string>,
  options: Pick<RunOptions, 'env' | 'envFile'>,
  host: Host,
): void {
  for (const path of options.envFile ?? []) {
    const text = host.readText(path);
    if (text === undefined) throw badOption('--env-file', path, 'the file cannot be read');
    for (const [name, value] of parseEnvironmentFile('--env-file', path, text, host.environment)) {
      variables.set(name, value);
    }
  }
  for (const [name, given] of Object.entries(options.env ?? {})) {
    if (name === '' || name.includes('=')) {
      throw badOption('--env', `${name}=${given ?? ''}`, 'a variable needs a name', 'EDITOR=vi');
    }
    const value = given ?? host.environment(name);
    // `-e NAME` of a variable that tsbox does not have takes it away from the image's, as in Docker.
    if (value === undefined) variables.delete(name);
    else {
      refuseNul('--env', `${name}=${value}`);
      variables.set(name, value);
    }
  }
}
