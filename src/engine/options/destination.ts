import { posix } from 'node:path';
import { badOption, refuseNul } from './bad-option.ts';

/**
 * A place in the container to mount at, made normal: absolute, not the root, and not below /proc.
 *
 * @param given the whole value of the flag, for the message
 * @throws BAD_OPTION
 */
export function checkDestination(flag: string, given: string, destination: string, example: string): string {
  refuseNul(flag, destination);
  if (!destination.startsWith('/')) {
    throw badOption(flag, given, 'the place in the container must be an absolute path', example);
  }
  const path = posix.normalize(destination).replace(/(?<=.)\/$/, '');
  if (path === '/') throw badOption(flag, given, 'nothing can be mounted over the container’s root', example);
  // What is written to /proc/self/attr/exec or /proc/sys while a container is set up must reach the kernel: CVE-2019-16884, CVE-2019-19921.
  if (path === '/proc' || (path.startsWith('/proc/') && !harmless.has(path))) {
    throw badOption(flag, given, 'nothing can be mounted over /proc or below it', example);
  }
  return path;
}

/** What LXCFS replaces: files that only tell. The list is runc's. */
const harmless = new Set([
  '/proc/cpuinfo',
  '/proc/diskstats',
  '/proc/meminfo',
  '/proc/stat',
  '/proc/swaps',
  '/proc/uptime',
  '/proc/loadavg',
  '/proc/slabinfo',
]);
