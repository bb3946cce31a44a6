import { AT, MOUNT_ATTR, MOVE_MOUNT, O, OPEN_TREE } from '../kernel/index.ts';
import { cloneStep, flags, named, Slot, type Step, type Struct } from '../launch/index.ts';
import type { Bystander } from './bystander.ts';
import { dieWithParent, forgetReader } from './parent-death.ts';
import type { PlanInput } from './plan-input.ts';
import type { IdMapping } from './spec.ts';
import { Stage } from './stage.ts';
import { MOUNT_ATTR_SIZE, mountAttr } from './structs.ts';

const CWD = named('AT_FDCWD', AT.AT_FDCWD);

/**
 * A user namespace before there is a container to be in it, because id-mapping the layers needs one, and must be done by the host's root.
 * A process that does nothing is cloned into a new one, its maps are written, the namespace is opened, and the process is ended.
 * user_namespaces(7): only a process outside may map more than its own id.
 */
export function makeUserNamespace(
  steps: Step[],
  maps: { uid: readonly IdMapping[]; gid: readonly IdMapping[] },
  input: PlanInput,
): { userns: Slot; holder: Bystander } {
  const stage = new Stage(steps, 'Map users');
  const pid = new Slot('holder');
  const pidfd = new Slot('holder_pidfd');
  const child: Step[] = [];
  const waiting = new Stage(child, 'Map users (holder)');
  forgetReader(waiting, input);
  dieWithParent(waiting, input, 'it ends with tsbox');
  waiting.call('ppoll', [null, 0, null, null, 8], 'it waits to be ended');
  steps.push(
    cloneStep({
      stage: 'Map users',
      why: 'a process in a new user namespace, to hold it open',
      flags: ['CLONE_VM', 'CLONE_PIDFD', 'CLONE_CLEAR_SIGHAND', 'CLONE_NEWUSER'],
      exitSignal: 0,
      pid,
      pidfd,
      child,
    }),
  );
  const digits: Struct = { bytes: Buffer.alloc(24), text: 'holder' };
  steps.push({ stage: 'Map users', call: 'decimal', args: [digits, pid], why: 'its PID as text' });
  const path = flags(O, 'O_PATH', 'O_DIRECTORY', 'O_CLOEXEC');
  const proc = stage.open('proc_host', 'openat', [CWD, '/proc', path], "the host's /proc");
  const directory = stage.open('proc_holder', 'openat', [proc, digits, path], 'its directory there');
  for (const kind of ['uid', 'gid'] as const) {
    const text = maps[kind].map((map) => `${map.containerID} ${map.hostID} ${map.size}\n`).join('');
    const file = stage.open(
      `${kind}_map`,
      'openat',
      [directory, `${kind}_map`, flags(O, 'O_WRONLY', 'O_CLOEXEC')],
      `which ${kind}s inside`,
    );
    stage.call('write', [file, text, Buffer.byteLength(text)], 'are which outside');
    stage.call('close', [file], 'done');
  }
  const namespace = stage.open(
    'userns',
    'openat',
    [directory, 'ns/user', flags(O, 'O_RDONLY', 'O_CLOEXEC')],
    'the namespace itself',
  );
  stage.call('pidfd_send_signal', [pidfd, named('SIGKILL', 9), null, 0], 'the holder is not needed any more');
  stage.call(
    'waitid',
    [named('P_PIDFD', 3), pidfd, null, named('WEXITED|__WALL', 0x40000004), null],
    'no zombie stays',
  );
  for (const fd of [pidfd, directory, proc]) stage.call('close', [fd], 'done');
  return { userns: namespace, holder: { pid, pidfd } };
}

/**
 * Shows a directory with its owners mapped: what belongs to 0 on disk belongs to the container's root in this mount, so
 * that the store keeps one copy of a layer for all maps. It is mounted over the directory itself, in the helper's own mount
 * namespace, because overlayfs takes only layers that are mounted somewhere (until Linux 6.15). Overlay layers: 5.19.
 */
export function mapOwners(stage: Stage, path: string, userns: Slot): void {
  const fd = stage.open(
    'mapped',
    'open_tree',
    [CWD, path, flags(OPEN_TREE, 'OPEN_TREE_CLONE', 'OPEN_TREE_CLOEXEC')],
    `a view of ${path}`,
  );
  stage.call(
    'mount_setattr',
    [
      fd,
      '',
      flags(AT, 'AT_EMPTY_PATH'),
      mountAttr({ set: flags(MOUNT_ATTR, 'MOUNT_ATTR_IDMAP'), userns }),
      MOUNT_ATTR_SIZE,
    ],
    "in which root's files are the container root's",
  );
  stage.call(
    'move_mount',
    [fd, '', CWD, path, flags(MOVE_MOUNT, 'MOVE_MOUNT_F_EMPTY_PATH')],
    'instead of the plain one',
  );
}
