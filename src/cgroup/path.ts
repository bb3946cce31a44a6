import { TsboxError } from '../kernel/error.ts';
import type { CgroupHost } from './host.ts';

/**
 * The absolute directory of a container's group: `tsbox/<id>` below the mount point of cgroup v2, or `<parent>/<id>`.
 *
 * @param id the container's id, which becomes the group's name
 * @param parent a group's path from the mount point, with or without the leading slash
 * @throws {TsboxError} BAD_CGROUP_PARENT, BAD_ID
 */
export function cgroupPath(host: CgroupHost, id: string, parent = 'tsbox'): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$/.test(id)) {
    throw new TsboxError(
      'BAD_ID',
      `the container id ${JSON.stringify(id.slice(0, 80))} cannot be the name of a cgroup`,
    );
  }
  const names = parent.split('/').filter((name) => name !== '');
  for (const name of names) {
    // `..` would lead out of the mount, and a newline would forge a line of /proc/PID/cgroup.
    if (name === '.' || name === '..' || name.length > 255 || hasControl(name)) {
      throw new TsboxError(
        'BAD_CGROUP_PARENT',
        `the cgroup parent ${JSON.stringify(parent.slice(0, 80))} is not a path below the cgroup mount`,
        {
          advice: 'give a path like /my.slice/web, without `.` and `..`',
        },
      );
    }
  }
  return [host.mountPoint, ...names, id].join('/');
}

function hasControl(name: string): boolean {
  return [...name].some((character) => character < ' ' || character === '\x7f');
}
