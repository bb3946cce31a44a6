import { didYouMean } from '../../suggest.ts';
import { badOption, refuseNul } from './bad-option.ts';

/**
 * A kernel parameter of the container's own, checked: only those that belong to its network or IPC namespace, because every
 * other one would be the whole machine's.
 *
 * @param network whether the network is the container's own
 * @param ipc whether the IPC namespace is the container's own
 * @throws BAD_OPTION
 */
export function checkSysctl(
  flag: string,
  name: string,
  value: string,
  own: { network: boolean; ipc: boolean },
): void {
  const given = `${name}=${value}`;
  const example = 'net.ipv4.ip_forward=1';
  refuseNul(flag, given);
  // The name becomes a path below /proc/sys: `/` is the other way to write the dot, and `..` would leave.
  if (!/^[a-z0-9_-]+([./][a-zA-Z0-9_@*:-]+)+$/.test(name))
    throw badOption(flag, given, 'not a parameter', example);
  if (/[\r\n]/.test(value)) throw badOption(flag, given, 'a value is one line', example);
  const dotted = name.replaceAll('/', '.');
  if (dotted.startsWith('net.')) {
    if (!own.network) throw badOption(flag, given, 'the network is the host’s (--network host)');
    return;
  }
  if (ipcParameters.has(dotted) || dotted.startsWith('fs.mqueue.')) {
    if (!own.ipc) throw badOption(flag, given, 'the IPC namespace is the host’s (--ipc host)');
    return;
  }
  throw badOption(
    flag,
    given,
    `not a parameter that a container has for its own${didYouMean(dotted, ipcParameters)}`,
    example,
  );
}

/** `NAME=VALUE`. @throws BAD_OPTION */
export function parseSysctl(flag: string, value: string): [name: string, value: string] {
  const equals = value.indexOf('=');
  if (equals <= 0) throw badOption(flag, value, 'not of the form NAME=VALUE', 'net.ipv4.ip_forward=1');
  return [value.slice(0, equals), value.slice(equals + 1)];
}

/** ipc_namespaces(7). */
const ipcParameters = new Set([
  'kernel.msgmax',
  'kernel.msgmnb',
  'kernel.msgmni',
  'kernel.sem',
  'kernel.shmall',
  'kernel.shmmax',
  'kernel.shmmni',
  'kernel.shm_rmid_forced',
]);
