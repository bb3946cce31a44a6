import { closeSync, openSync, writeFileSync } from 'node:fs';
import { AT, closeDescriptor, cString, MOUNT_ATTR, OPEN_TREE } from '../../kernel/index.ts';
import { cloneStep, named, runPlan, Slot, type Step } from '../../launch/index.ts';
import { attempt } from './attempt.ts';
import { nearest } from './probe-overlay.ts';

/** Starts a process in a user namespace of its own, and ends it. */
export function userNamespaceProbe(): number {
  return inUserNamespace(() => 0);
}

/** Maps a detached copy of the store's mount into such a namespace. It is attached nowhere, so closing it undoes it. */
export function idMapProbe(root: string): number {
  return inUserNamespace((pid) => {
    for (const map of ['uid_map', 'gid_map']) writeFileSync(`/proc/${pid}/${map}`, '0 100000 65536');
    const namespace = openSync(`/proc/${pid}/ns/user`, 'r');
    try {
      return mapMount(nearest(root), namespace);
    } finally {
      closeSync(namespace);
    }
  });
}

function mapMount(path: string, namespace: number): number {
  const flags = OPEN_TREE.OPEN_TREE_CLONE | OPEN_TREE.OPEN_TREE_CLOEXEC;
  const { error, result: tree } = attempt('open_tree', [AT.AT_FDCWD, cString(path), flags]);
  if (error !== 0) return error;
  // struct mount_attr: attr_set, attr_clr, propagation, userns_fd, 8 bytes each.
  const attributes = Buffer.alloc(32);
  attributes.writeBigUInt64LE(BigInt(MOUNT_ATTR.MOUNT_ATTR_IDMAP), 0);
  attributes.writeBigUInt64LE(BigInt(namespace), 24);
  try {
    return attempt('mount_setattr', [tree, cString(''), AT.AT_EMPTY_PATH, attributes, attributes.length])
      .error;
  } finally {
    closeDescriptor(tree);
  }
}

/** Holds a user namespace open by a process that only waits, for as long as `use` takes. */
function inUserNamespace(use: (pid: number) => number): number {
  const pid = new Slot('holder');
  const pidfd = new Slot('holder_pidfd');
  const stage = 'Probe';
  const child: Step[] = [
    {
      stage,
      call: 'prctl',
      args: [named('PR_SET_PDEATHSIG', 1), named('SIGKILL', 9)],
      why: 'it ends with us',
    },
    { stage, call: 'ppoll', args: [null, 0, null, null, 8], why: 'it waits to be ended' },
  ];
  const clone = cloneStep({
    stage,
    why: 'make a user namespace',
    flags: ['CLONE_VM', 'CLONE_PIDFD', 'CLONE_CLEAR_SIGHAND', 'CLONE_NEWUSER'],
    exitSignal: 0,
    pid,
    pidfd,
    child,
  });
  // The process lives in this memory: it must be gone before we let go of it.
  const arena = runPlan({ steps: [clone] });
  const failure = arena.failure();
  if (failure) return failure.errno;
  const descriptor = arena.slot(pidfd);
  try {
    return use(arena.slot(pid));
  } catch (error) {
    return -((error as { errno?: number }).errno ?? -5);
  } finally {
    attempt('pidfd_send_signal', [descriptor, 9, 0, 0]);
    attempt('waitid', [P_PIDFD, descriptor, 0, WEXITED | __WALL, 0]);
    closeDescriptor(descriptor);
  }
}

const P_PIDFD = 3;
const WEXITED = 4;
/** A process without an exit signal is waited for only so. */
const __WALL = 0x40000000;
