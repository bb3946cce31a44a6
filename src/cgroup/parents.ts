import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { TsboxError } from '../kernel/error.ts';
import type { CgroupHost } from './host.ts';

/**
 * Makes the groups above `path` and enables the controllers in each of them, so that the group at `path`, once made, has the files to
 * write its limits to. Can be repeated, and raced by other processes. Only what is needed is enabled: each controller costs the kernel
 * something for every process below.
 *
 * @throws {TsboxError} CGROUP_READ_ONLY, CGROUP_DENIED, CGROUP_BUSY, LIMIT_UNAVAILABLE
 */
export function prepareParents(host: CgroupHost, path: string, controllers: readonly string[]): void {
  const parent = dirname(path);
  const groups = lineage(host.mountPoint, parent);
  if (areOffered(path, controllers)) return;
  for (const group of groups) {
    makeGroup(host, group);
    const missing = missingIn(group, controllers) ?? [];
    if (missing.length > 0) enable(host, group, missing);
  }
}

/**
 * Whether the group at `path` would have these controllers. One cannot be enabled in a group unless it is in all those above, so one look at the parent
 * tells about all.
 */
export function areOffered(path: string, controllers: readonly string[]): boolean {
  return missingIn(dirname(path), controllers)?.length === 0;
}

/** The groups from the mount point to `last`, both included. */
function lineage(mountPoint: string, last: string): string[] {
  const groups = [mountPoint];
  let group = mountPoint;
  for (const name of relative(mountPoint, last).split('/').filter(Boolean)) {
    group = join(group, name);
    groups.push(group);
  }
  return groups;
}

function makeGroup(host: CgroupHost, group: string): void {
  try {
    if (group !== host.mountPoint) mkdirSync(group, 0o755);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    throw refused(host, `cannot make the cgroup ${group}`, code);
  }
}

/** Which of the controllers are not enabled for the children of the group; undefined where there is no such group. */
function missingIn(group: string, controllers: readonly string[]): string[] | undefined {
  try {
    const enabled = readFileSync(join(group, 'cgroup.subtree_control'), 'utf8').split(/\s+/);
    return controllers.filter((name) => !enabled.includes(name));
  } catch {
    return undefined;
  }
}

function enable(host: CgroupHost, group: string, controllers: readonly string[]): void {
  const code = tryEnable(group, controllers);
  if (code === undefined) return;
  if (code === 'EBUSY' && group === host.mountPoint && emptyRoot(host, controllers)) return;
  const names = controllers.map((name) => `\`${name}\``).join(', ');
  if (code === 'EBUSY') {
    throw new TsboxError(
      'CGROUP_BUSY',
      `cannot enable ${names} in the cgroup ${group}: it has processes in it`,
      {
        advice:
          'cgroup v2 allows processes only in the leaves: choose another --cgroup-parent, or move the processes listed in its cgroup.procs to a group of their own',
      },
    );
  }
  if (code === 'ENOENT' || code === 'EOPNOTSUPP') {
    throw new TsboxError(
      'LIMIT_UNAVAILABLE',
      `cannot enable ${names} in the cgroup ${group}: it was not given them`,
      {
        advice: 'a group can pass on only what its own parent enables for it (see its cgroup.controllers)',
      },
    );
  }
  throw refused(host, `cannot enable ${names} in the cgroup ${group}`, code);
}

/** The kernel takes all of them or none. Returns its errno's name where it refuses. */
function tryEnable(group: string, controllers: readonly string[]): string | undefined {
  try {
    writeFileSync(join(group, 'cgroup.subtree_control'), controllers.map((name) => `+${name}`).join(' '));
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'EIO';
  }
}

/**
 * Inside another container, the root of our cgroup namespace is an ordinary group on the host, and has that container's processes in it, which
 * forbids it to have controllers for children ("no internal processes"). As docker:dind does, they are moved to a leaf named
 * `init`: limits on the root still hold for them. Done only where everything shows that this root is ours to arrange: it is the namespace's root but not the
 * machine's, and PID 1 itself is in it.
 */
function emptyRoot(host: CgroupHost, controllers: readonly string[]): boolean {
  const isMachineRoot = !existsSync(join(host.mountPoint, 'cgroup.type'));
  if (isMachineRoot || host.root !== '/' || !/^0::\/$/m.test(readFileSync('/proc/1/cgroup', 'latin1')))
    return false;
  const leaf = join(host.mountPoint, 'init');
  makeGroup(host, leaf);
  // Processes fork while they are being moved, so more than one round may be needed; but not for ever.
  for (let round = 0; round < 10; round++) {
    for (const pid of readFileSync(join(host.mountPoint, 'cgroup.procs'), 'latin1')
      .split('\n')
      .filter(Boolean)) {
      try {
        writeFileSync(join(leaf, 'cgroup.procs'), pid);
      } catch {
        // ESRCH: it has just ended. Anything else shows in the answer to the next attempt.
      }
    }
    const code = tryEnable(host.mountPoint, controllers);
    if (code !== 'EBUSY') return code === undefined;
  }
  return false;
}

function refused(host: CgroupHost, what: string, code = 'EIO'): TsboxError {
  if (code === 'EROFS' || host.readOnly) {
    return new TsboxError('CGROUP_READ_ONLY', `${what}: ${host.mountPoint} is mounted read-only`, {
      advice: 'inside a container, the outer one must have a writable cgroup mount (docker run --privileged)',
    });
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return new TsboxError('CGROUP_DENIED', `${what}: permission denied (${code})`, {
      advice: 'run tsbox as root',
    });
  }
  return new TsboxError('CGROUP_FAILED', `${what}: ${code}`);
}
