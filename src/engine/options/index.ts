/**
 * What people write after a flag, as values: sizes, mounts, users, capabilities and so on. A parser takes the flag as it was typed and its
 * value, and returns what was meant in the specification's terms, or throws a `TsboxError` with the code BAD_OPTION that names the flag, the value, what was wrong
 * with it and one that would have been right. Units and syntax are Docker's. Nothing here has side effects; what must be looked up on
 * the host is asked through `Host`.
 */

export * from '../../suggest.ts';
export * from './bad-option.ts';
export * from './bytes.ts';
export * from './capability.ts';
export * from './cpus.ts';
export * from './cpuset.ts';
export * from './destination.ts';
export * from './device.ts';
export * from './environment.ts';
export * from './id-map.ts';
export * from './integer.ts';
export * from './mount.ts';
export * from './name.ts';
export * from './network-mode.ts';
export * from './security.ts';
export * from './signal.ts';
export * from './sysctl.ts';
export * from './throttle.ts';
export * from './tmpfs.ts';
export * from './ulimit.ts';
export * from './user.ts';
export * from './volume.ts';
