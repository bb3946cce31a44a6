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

/** All that the container has of its own, for who enters it later (setns(2)). */
export function entryFlags(linux: Linux): (keyof typeof CLONE)[] {
  return ALL_FLAGS.filter(([type]) => hasOwn(linux, type)).map(([, flag]) => flag);
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
