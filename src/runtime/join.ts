import { AT, CLONE, O } from '../kernel/index.ts';
import { flags, named, type Slot, type Step } from '../launch/index.ts';
import { isMapped } from './mount-acquire.ts';
import { joinedNamespaces, joinedPath } from './namespaces.ts';
import type { PlanInput } from './plan-input.ts';
import type { Linux, Mount } from './spec.ts';
import { Stage } from './stage.ts';
import { makeUserNamespace } from './user-namespace.ts';

/**
 * Enters the namespaces that others have made. By the process that clones the container, and so never by a thread of Node, which could not come back:
 * only a plan with `held` may have any. Those of PIDs and of time hold for what is cloned next.
 */
export function joinNamespaces(steps: Step[], linux: Linux): void {
  const stage = new Stage(steps, 'Join');
  // All are opened first: a path such as /proc/7/ns/net means something else in another PID namespace's /proc.
  const joined = joinedNamespaces(linux).map(({ type, path, flag }) => ({
    flag,
    type,
    fd: openNamespace(stage, type, path),
  }));
  for (const { flag, type, fd } of joined) {
    stage.call('setns', [fd, flags(CLONE, flag)], `the ${type} namespace is an existing one`);
    stage.call('close', [fd], 'done');
  }
}

/** The user namespace is entered later, by the helper: what makes the rest of the container must be the host's root. */
export function joinUserNamespace(steps: Step[], linux: Linux): Slot | undefined {
  const path = joinedPath(linux, 'user');
  return path === undefined ? undefined : openNamespace(new Stage(steps, 'Join'), 'user', path);
}

/** A user namespace for each mount whose owners are mapped; those without mappings of their own have the container's. */
export function mapMounts(steps: Step[], input: PlanInput, userns: Slot | undefined): Map<Mount, Slot> {
  const made = new Map<Mount, Slot>();
  const known = new Map<string, Slot>();
  for (const mount of input.spec.mounts.filter(isMapped)) {
    const { uidMappings: uid = [], gidMappings: gid = [] } = mount;
    const key = JSON.stringify([uid, gid]);
    const slot =
      known.get(key) ?? (uid.length === 0 ? userns : makeUserNamespace(steps, { uid, gid }, input).userns);
    if (slot === undefined) continue;
    known.set(key, slot);
    made.set(mount, slot);
  }
  return made;
}

function openNamespace(stage: Stage, type: string, path: string): Slot {
  const how = flags(O, 'O_RDONLY', 'O_CLOEXEC');
  return stage.open(`${type}_namespace`, 'openat', [named('AT_FDCWD', AT.AT_FDCWD), path, how], path);
}
