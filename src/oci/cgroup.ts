import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  DEFAULT_DEVICE_RULES,
  deviceProgram,
  findCgroup,
  type LimitWrite,
  limitWrites,
  requireControllers,
  requireFiles,
} from '../cgroup/index.ts';
import type { CgroupPlan, Resources } from '../runtime/index.ts';
import { prepareGroup } from './group-parents.ts';
import { failure } from './state.ts';

/** A group as its plan has it, and how it came to that. */
export interface PreparedCgroup {
  plan: CgroupPlan;
  /** Before it was known which files this kernel has for them. */
  limits: LimitWrite[];
  unit?: string;
  release?: () => void;
}

/**
 * The group of a container, with its parents made and its limits as files.
 *
 * @param warn is told, in one line, of what is left out
 * @throws {TsboxError} for a limit that this host cannot keep
 */
export function prepareCgroup(
  cgroupsPath: string | undefined,
  id: string,
  resources: Resources,
  warn: (message: string) => void,
): PreparedCgroup {
  const { host, writes, program } = readLimits(resources, warn);
  const path = groupPath(host.mountPoint, cgroupsPath, id);
  prepareGroup(host, path, writes);
  const given = existsSync(path);
  if (given && readFileSync(join(path, 'cgroup.procs'), 'latin1') !== '')
    throw failure('CGROUP_BUSY', `the cgroup of the container is not empty: ${path}`);
  return {
    plan: {
      path,
      mountPoint: host.mountPoint,
      given,
      writes: requireFiles(path, writes),
      ...(program && { deviceProgram: program }),
    },
    limits: writes,
  };
}

/** The group of a container for which `prepareCgroup` need not be called, because it was for others like it. */
export function sameCgroup(cgroupsPath: string | undefined, id: string, resources: Resources): CgroupPlan {
  const { host, writes, program } = readLimits(resources, () => {});
  const path = groupPath(host.mountPoint, cgroupsPath, id);
  return {
    path,
    mountPoint: host.mountPoint,
    given: false,
    writes: requireFiles(path, writes),
    ...(program && { deviceProgram: program }),
  };
}

/** A scope of systemd's instead. It has a process in it that waits until `release`. */
export async function prepareScope(
  cgroupsPath: string | undefined,
  id: string,
  resources: Resources,
  warn: (message: string) => void,
): Promise<PreparedCgroup> {
  const { startScope, stopScope, unitName } = await import('./systemd/index.ts');
  const name = unitName(cgroupsPath, id);
  const { host, writes, program } = readLimits(resources, warn);
  const { group, release } = await startScope(name, id, writes);
  try {
    const path = `${host.mountPoint}${group}`;
    return {
      plan: {
        path,
        mountPoint: host.mountPoint,
        given: true,
        writes: requireFiles(path, writes),
        ...(program && { deviceProgram: program }),
      },
      limits: writes,
      unit: name.unit,
      release,
    };
  } catch (error) {
    release();
    await stopScope(name.unit);
    throw error;
  }
}

function readLimits(resources: Resources, warn: (message: string) => void) {
  const host = findCgroup();
  const writes = requireControllers(
    host,
    keepable(host.controllers, limitWrites(resources), resources, warn),
  );
  // The default ones last, so that no rule can take them away, as runc has it.
  const rules = [...(resources.devices ?? []), ...DEFAULT_DEVICE_RULES.filter(({ allow }) => allow)];
  return { host, writes, program: deviceProgram(rules) };
}

/** Below the mount point, whether it begins with a slash or not. */
function groupPath(mountPoint: string, cgroupsPath: string | undefined, id: string): string {
  const names = (cgroupsPath ?? `tsbox-oci/${id}`).split('/').filter((name) => name !== '' && name !== '.');
  const bad = names.some((name) => name === '..' || name.length > 255 || /\p{Cc}/u.test(name));
  if (bad || names.length === 0)
    throw failure(
      'BAD_CONFIG',
      `linux.cgroupsPath: ${JSON.stringify(cgroupsPath)} is not the path of a group`,
    );
  return [mountPoint, ...names].join('/');
}

/**
 * On a host where v1 has the controllers, a limit cannot be kept. What somebody has asked for is refused; what an engine asks for whenever nobody does
 * (Podman 2048 processes, Kubernetes a share of the CPU) would make every container impossible: it is left out, and said.
 */
function keepable(
  controllers: readonly string[],
  writes: LimitWrite[],
  { pids, cpu }: Resources,
  warn: (message: string) => void,
): LimitWrite[] {
  const left = writes.filter(({ controller, file }) => {
    if (controllers.includes(controller)) return false;
    if (file === 'pids.max') return pids?.limit === 2048;
    return file === 'cpu.weight' && (cpu?.shares === 2 || cpu?.shares === 1024);
  });
  if (left.length > 0)
    warn(
      `cgroup v1's controllers are not used: without ${left.map(({ file, value }) => `${file}=${value}`).join(' and ')}, which the engine asks for by default`,
    );
  return writes.filter((write) => !left.includes(write));
}
