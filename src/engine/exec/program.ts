import { posix } from 'node:path';
import { CAPABILITIES, TsboxError } from '../../kernel/index.ts';
import type { Capabilities, Process, Spec } from '../../runtime/spec.ts';
import { type Host, thisHost } from '../host.ts';
import { badOption, refuseNul, resolveUser } from '../options/index.ts';
import { ownCapabilities } from '../own-capabilities.ts';
import { addVariables } from '../spec/environment.ts';
import { mappedUser } from '../spec/mapped-user.ts';
import type { ExecOptions } from './options.ts';

/**
 * The program of an `exec` in the specification's terms: as the container's own, but for what was asked for.
 *
 * @param readFile a file of the container as it is now, for /etc/passwd and /etc/group
 * @throws {TsboxError} NO_COMMAND, BAD_OPTION, NO_USER
 */
export function execProcess(
  spec: Spec,
  command: readonly string[],
  options: ExecOptions,
  readFile: (path: string) => string | undefined,
  host: Host = thisHost,
): Process {
  if (command.length === 0 || command[0] === '')
    throw new TsboxError('NO_COMMAND', 'no command given', { advice: 'tsbox exec CONTAINER sh' });
  for (const argument of command) refuseNul('COMMAND', argument);
  const own = spec.process;
  const variables = new Map(own.env.map(splitVariable));
  const user = options.user ? changeUser(spec, options.user, variables, readFile) : own.user;
  if (options.tty && !variables.has('TERM')) variables.set('TERM', 'xterm');
  addVariables(variables, options, host);
  const { apparmorProfile, ...rest } = own;
  return {
    ...rest,
    terminal: options.tty === true,
    user,
    args: [...command],
    env: [...variables].map(([name, value]) => `${name}=${value}`),
    cwd: workingDirectory(options.workdir) ?? own.cwd,
    capabilities: capabilitySets(own.capabilities, user.uid, options.privileged === true),
    ...(apparmorProfile !== undefined && !options.privileged && { apparmorProfile }),
  };
}

function splitVariable(entry: string): [name: string, value: string] {
  const equals = entry.indexOf('=');
  return [entry.slice(0, equals), entry.slice(equals + 1)];
}

function changeUser(
  spec: Spec,
  asked: string,
  variables: Map<string, string>,
  readFile: (path: string) => string | undefined,
): Process['user'] {
  refuseNul('--user', asked);
  const [passwd, group] = [readFile('/etc/passwd'), readFile('/etc/group')];
  const resolved = mappedUser(resolveUser(asked, passwd, group), spec.linux);
  // HOME was not anybody's wish where it is the home of the container's own user: then it goes with the user, as in Docker.
  const home = resolveUser(String(spec.process.user.uid), passwd, group).home;
  if (!variables.has('HOME') || variables.get('HOME') === home) variables.set('HOME', resolved.home);
  const { uid, gid, additionalGids } = resolved;
  const { umask } = spec.process.user;
  return { uid, gid, additionalGids, ...(umask !== undefined && { umask }) };
}

function workingDirectory(asked: string | undefined): string | undefined {
  if (!asked) return undefined;
  refuseNul('--workdir', asked);
  if (!asked.startsWith('/')) throw badOption('--workdir', asked, 'must be an absolute path', '/srv');
  return posix.normalize(asked);
}

/** As at the start of a container: root has what the container may have, anybody else may only get it by a setuid program. */
function capabilitySets(own: Capabilities | undefined, uid: number, privileged: boolean): Capabilities {
  const given = ownCapabilities();
  const bounding = privileged ? CAPABILITIES.filter((name) => given.has(name)) : (own?.bounding ?? []);
  const sets = uid === 0 ? [...bounding] : [];
  return { bounding: [...bounding], effective: sets, inheritable: [], permitted: sets, ambient: [] };
}
