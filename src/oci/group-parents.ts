import { type CgroupHost, controllersOf, type LimitWrite, prepareParents } from '../cgroup/index.ts';

/** Makes what is above a container's group, so that it will have the files of its limits, and those of its statistics where that is possible. */
export function prepareGroup(host: CgroupHost, path: string, limits: readonly LimitWrite[]): void {
  prepareParents(host, path, controllersOf(limits));
  try {
    const counted = ['cpu', 'memory', 'pids', 'io'].filter((name) => host.controllers.includes(name));
    prepareParents(host, path, counted);
  } catch {
    // Without, there are fewer statistics. Its limits are kept.
  }
}
