/**
 * cgroup v2: where it is mounted, a container's group, its limits as files to write, its statistics, freezing, killing, removing, and the
 * device rules as an eBPF program. Nothing here knows what a container is: a group is a directory and a limit is a file in it.
 *
 * The order of use at a start:
 *
 *     const host = findCgroup();
 *     let writes = requireControllers(host, limitWrites(resources));
 *     const path = cgroupPath(host, id, parent);
 *     prepareParents(host, path, controllersOf(writes));
 *     writes = requireFiles(path, writes);
 *     // then, as steps of the plan: mkdir path, write each file, load and attach deviceProgram(rules), CLONE_INTO_CGROUP
 */
export * from './bpf.ts';
export { DEFAULT_DEVICE_RULES, deviceProgram } from './devices.ts';
export { type CgroupHost, findCgroup } from './host.ts';
export { freezeCgroup, killCgroup, thawCgroup } from './kill.ts';
export type { LimitWrite } from './limit-write.ts';
export { controllersOf, limitWrites } from './limits.ts';
export { areOffered, prepareParents } from './parents.ts';
export { cgroupPath } from './path.ts';
export { removeCgroup, removeCgroupNow } from './remove.ts';
export { requireControllers, requireFiles } from './require.ts';
export type { DeviceRule, Resources, ThrottleDevice } from './resources.ts';
export { type CgroupStats, oomKills, type Pressure, readStats } from './stats.ts';
export { memoryIsTight } from './tight.ts';
