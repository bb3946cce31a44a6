import type { CLONE } from '../kernel/index.ts';
import type { Linux, NamespaceType } from './spec.ts';

/** Whether the container gets a namespace of this kind of its own. */
export function hasOwn(linux: Linux, type: NamespaceType): boolean {
  return linux.namespaces.some((namespace) => namespace.type === type && namespace.path === undefined);
}

/**
 * The namespaces that clone3 makes. Three kinds are not among them: the user namespace is made before (user-namespace.ts), the cgroup namespace is
 * rooted where the process *is* when it is made, so after it is in its cgroup, and a time namespace is entered only by exec.
 */
export function cloneFlags(linux: Linux): (keyof typeof CLONE)[] {
  return FLAGS.filter(([type]) => hasOwn(linux, type)).map(([, flag]) => flag);
}

/** Whether it is in another one of this kind than the host's, made for it or joined. */
export function has(linux: Linux, type: NamespaceType): boolean {
  return linux.namespaces.some((namespace) => namespace.type === type);
}

/** All those that are not the host's, for who enters the container later (setns(2)). */
export function entryFlags(linux: Linux): (keyof typeof CLONE)[] {
  return ALL_FLAGS.filter(([type]) => has(linux, type)).map(([, flag]) => flag);
}

/** The namespaces that are joined before anything is cloned, in the order in which they are entered; the user namespace comes later. */
export function joinedNamespaces(
  linux: Linux,
): { type: NamespaceType; path: string; flag: keyof typeof CLONE }[] {
  return ALL_FLAGS.flatMap(([type, flag]) => {
    const path = type === 'user' ? undefined : joinedPath(linux, type);
    return path === undefined ? [] : [{ type, path, flag }];
  });
}

export function joinedPath(linux: Linux, type: NamespaceType): string | undefined {
  return linux.namespaces.find((namespace) => namespace.type === type)?.path;
}

const FLAGS: [NamespaceType, keyof typeof CLONE][] = [
  ['mount', 'CLONE_NEWNS'],
  ['pid', 'CLONE_NEWPID'],
  ['uts', 'CLONE_NEWUTS'],
  ['ipc', 'CLONE_NEWIPC'],
  ['network', 'CLONE_NEWNET'],
];

const ALL_FLAGS: [NamespaceType, keyof typeof CLONE][] = [
  ...FLAGS,
  ['user', 'CLONE_NEWUSER'],
  ['cgroup', 'CLONE_NEWCGROUP'],
  ['time', 'CLONE_NEWTIME'],
];
