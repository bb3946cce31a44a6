import { readFileSync } from 'node:fs';
import { TsboxError } from '../kernel/error.ts';

/** How this machine, or the container that we run in, has cgroup v2. */
export interface CgroupHost {
  /** The directory where cgroup v2 is mounted: `/sys/fs/cgroup`, or `/sys/fs/cgroup/unified` on a hybrid host. */
  mountPoint: string;
  /**
   * Which group of the hierarchy is at the mount point, as our cgroup namespace names it: `/`, or a group's path where only a subtree
   * is mounted (in a container that shares the host's cgroup namespace).
   */
  root: string;
  /** `pure`: v2 has all the controllers. `hybrid`: cgroup v1 is mounted too, and a controller is in one or the other. */
  mode: 'pure' | 'hybrid';
  /** What v2 can limit here: `cgroup.controllers` at the mount point. */
  controllers: string[];
  /** The controllers that cgroup v1 owns, with the directory each is mounted at. v2 cannot have these at the same time. */
  v1: Record<string, string>;
  /** The mount is read-only, as a container's usually is: no group can be made. */
  readOnly: boolean;
}

/**
 * Finds cgroup v2 in the mount table. The place is never assumed: it differs between pure and hybrid hosts and inside containers.
 *
 * @param mountinfo the text of /proc/self/mountinfo (proc_pid_mountinfo(5)). When absent it is read, once: on a machine with many mounts that
 *   takes longer than the rest of a start
 * @param controllers reads `cgroup.controllers` of a group; given by tests
 * @throws {TsboxError} NO_CGROUP2
 */
export function findCgroup(
  mountinfo?: string,
  controllers: (directory: string) => string[] = readControllers,
): CgroupHost {
  if (mountinfo !== undefined) return search(mountinfo, controllers);
  if (known !== undefined) {
    try {
      return { ...known, controllers: controllers(known.mountPoint) };
    } catch {
      // It is not mounted there any more.
    }
  }
  known = search(readFileSync('/proc/self/mountinfo', 'utf8'), controllers);
  return known;
}

let known: CgroupHost | undefined;

function search(mountinfo: string, controllers: (directory: string) => string[]): CgroupHost {
  const v1: Record<string, string> = {};
  const v2 = new Map<string, Mount>();
  for (const line of mountinfo.split('\n')) {
    // Cheap to say no: a machine with many containers has thousands of lines here.
    if (!line.includes(' - cgroup')) continue;
    const mount = parseMount(line);
    if (mount?.type === 'cgroup') for (const name of v1Controllers(mount)) v1[name] ??= mount.point;
    // A later mount on the same directory hides the earlier one.
    if (mount?.type === 'cgroup2') v2.set(mount.point, mount);
  }
  const mount = [...v2.values()].sort((a, b) => rank(a) - rank(b))[0];
  if (mount === undefined) {
    throw new TsboxError(
      'NO_CGROUP2',
      'cgroup v2 is not mounted on this machine (no cgroup2 in /proc/self/mountinfo)',
      {
        advice:
          'boot with `systemd.unified_cgroup_hierarchy=1`, or without systemd `mount -t cgroup2 none /sys/fs/cgroup` after booting with `cgroup_no_v1=all`',
      },
    );
  }
  return {
    mountPoint: mount.point,
    root: mount.root,
    mode: Object.keys(v1).length === 0 ? 'pure' : 'hybrid',
    controllers: controllers(mount.point),
    v1,
    readOnly: mount.readOnly,
  };
}

interface Mount {
  type: string;
  root: string;
  point: string;
  readOnly: boolean;
  superOptions: string[];
}

/** Writable before read-only, the whole hierarchy before a subtree; otherwise the first one mounted (the sort is stable). */
function rank(mount: Mount): number {
  return (mount.readOnly ? 2 : 0) + (mount.root === '/' ? 0 : 1);
}

/** `36 35 98:0 /root /point options [optional fields…] - type source super-options`. */
function parseMount(line: string): Mount | undefined {
  const fields = line.split(' ');
  const dash = fields.indexOf('-', 6);
  const [, , , root, point, options] = fields;
  if (dash === -1 || root === undefined || point === undefined || options === undefined) return undefined;
  const superOptions = (fields[dash + 3] ?? '').split(',');
  return {
    type: fields[dash + 1] ?? '',
    root: unescapeOctal(root),
    point: unescapeOctal(point),
    readOnly: options.split(',').includes('ro') || superOptions.includes('ro'),
    superOptions,
  };
}

/** The kernel writes space, tab, newline and backslash as `\040` and so on. The bytes were read as latin1. */
function unescapeOctal(text: string): string {
  const bytes = text.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)));
  return Buffer.from(bytes, 'latin1').toString();
}

/** A v1 mount names its controllers among the super block's options. A named hierarchy (`name=systemd`) limits nothing. */
function v1Controllers(mount: Mount): string[] {
  return mount.superOptions.filter((option) => V1_CONTROLLERS.has(option));
}

const V1_CONTROLLERS = new Set(
  'cpuset,cpu,cpuacct,blkio,memory,devices,freezer,net_cls,perf_event,net_prio,hugetlb,pids,rdma,misc'.split(
    ',',
  ),
);

function readControllers(directory: string): string[] {
  return readFileSync(`${directory}/cgroup.controllers`, 'utf8').split(/\s+/).filter(Boolean);
}
