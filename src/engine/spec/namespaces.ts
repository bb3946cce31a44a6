import type { Linux, NamespaceType } from '../../runtime/spec.ts';
import type { Host } from '../host.ts';
import {
  askedNetworks,
  badOption,
  didYouMean,
  type IdMaps,
  type IdRange,
  networkKind,
  parseSubordinateIds,
  parseUserNamespace,
} from '../options/index.ts';
import type { RunOptions } from '../run-options.ts';

export type NamespaceOptions = Pick<
  RunOptions,
  'network' | 'pid' | 'ipc' | 'uts' | 'cgroupns' | 'userns' | 'timeOffsets' | 'privileged'
>;

/**
 * The namespaces that a container has of its own, in Docker's order, with the maps and offsets that belong to them.
 *
 * @param inUse the ranges of host ids that running containers have, for `--userns auto`
 * @throws BAD_OPTION; also for what a user namespace cannot be combined with, as in Docker
 */
export function buildNamespaces(
  options: NamespaceOptions,
  id: string,
  inUse: () => readonly IdRange[],
  host: Host,
): Pick<Linux, 'namespaces' | 'uidMappings' | 'gidMappings' | 'timeOffsets'> {
  checkModes(options);
  const types: NamespaceType[] = ['mount'];
  if (networkKind(options) !== 'host') types.push('network');
  if (options.uts !== 'host') types.push('uts');
  if (options.pid !== 'host') types.push('pid');
  if (options.ipc !== 'host') types.push('ipc');
  if (options.cgroupns !== 'host') types.push('cgroup');
  const maps = userNamespace(options, id, inUse, host);
  if (maps !== undefined) types.push('user');
  const timeOffsets = buildTimeOffsets(options.timeOffsets);
  if (timeOffsets !== undefined) types.push('time');
  // Which process's it is then is known at each start.
  const joined = networkKind(options) === 'container' ? askedNetworks(options)[0] : undefined;
  const namespaces = types.map((type) =>
    type === 'network' && joined !== undefined ? { type, path: joined } : { type },
  );
  return { namespaces, ...maps, ...(timeOffsets && { timeOffsets }) };
}

function checkModes(options: NamespaceOptions): void {
  for (const [flag, value] of [
    ['--pid', options.pid],
    ['--ipc', options.ipc],
    ['--uts', options.uts],
    ['--cgroupns', options.cgroupns],
  ] as const) {
    if (value !== undefined && value !== 'private' && value !== 'host') {
      throw badOption(
        flag,
        value,
        `neither private nor host${didYouMean(value, ['private', 'host'])}`,
        'host',
      );
    }
  }
}

function userNamespace(
  options: NamespaceOptions,
  id: string,
  inUse: () => readonly IdRange[],
  host: Host,
): IdMaps | undefined {
  const flag = '--userns';
  const value = options.userns ?? 'host';
  const maps = parseUserNamespace(flag, value, id, () => [
    ...inUse(),
    ...parseSubordinateIds(host.readText('/etc/subuid') ?? ''),
    ...parseSubordinateIds(host.readText('/etc/subgid') ?? ''),
  ]);
  if (maps === undefined) return undefined;
  // The host's namespaces belong to the host's user namespace: the container's root could not even mount their proc, sysfs or mqueue.
  for (const shared of ['network', 'pid', 'ipc'] as const) {
    if (options[shared] === 'host') throw badOption(flag, value, `cannot be combined with --${shared} host`);
  }
  if (networkKind(options) === 'container')
    throw badOption(flag, value, 'cannot be combined with the network of another container');
  if (options.privileged) throw badOption(flag, value, 'cannot be combined with --privileged');
  return maps;
}

function buildTimeOffsets(offsets: RunOptions['timeOffsets']): Linux['timeOffsets'] {
  const entries = Object.entries(offsets ?? {}).filter(([, seconds]) => seconds !== undefined);
  if (entries.length === 0) return undefined;
  return Object.fromEntries(
    entries.map(([clock, seconds]) => {
      if (clock !== 'monotonic' && clock !== 'boottime') {
        const meant = didYouMean(clock, ['monotonic', 'boottime']);
        throw badOption('--time-offset', `${clock}=${seconds}`, `no such clock${meant}`, 'boottime=3600');
      }
      // Half of what a 64-bit count of nanoseconds holds is the kernel's bound. time_namespaces(7).
      if (!Number.isFinite(seconds) || Math.abs(seconds) > 4611686018) {
        throw badOption('--time-offset', `${clock}=${seconds}`, 'not a number of seconds', 'boottime=3600');
      }
      const secs = Math.floor(seconds);
      const nanosecs = Math.round((seconds - secs) * 1e9);
      return [clock, nanosecs === 0 ? { secs } : { secs, nanosecs }];
    }),
  );
}
