import {
  BPF,
  BPF_LICENSE,
  BPF_PROG_ATTACH_ATTR,
  BPF_PROG_LOAD_ATTR,
  bpfProgAttachAttr,
  bpfProgLoadAttr,
} from '../cgroup/index.ts';
import { AT, Errno, O } from '../kernel/index.ts';
import { AGAIN, flags, named, octal, type Slot, type Struct } from '../launch/index.ts';
import type { Stage } from './stage.ts';

/** The container's cgroup, as src/cgroup/ computed it. */
export interface CgroupPlan {
  /** Absolute; its parents exist. */
  path: string;
  /** Where the hierarchy is mounted: a container without a cgroup namespace of its own is shown that. Default: it gets a mount of its own. */
  mountPoint?: string;
  /** Whether it may be there already: one that somebody else has made for it, and that is empty. */
  given?: boolean;
  writes: readonly { file: string; value: string }[];
  /** eBPF instructions that decide over device access; undefined for no restriction. */
  deviceProgram?: Uint8Array;
  /** Whether there may be no memory for it while it starts. */
  tight?: boolean;
}

/**
 * Makes the group and sets its limits while it is still empty: the clone is born in it (CLONE_INTO_CGROUP), so not one
 * instruction of the program runs outside its limits. Moving it in later would also take 9 ms, as that waits for RCU.
 */
export function makeCgroup(stage: Stage, cgroup: CgroupPlan): Slot {
  const cwd = named('AT_FDCWD', AT.AT_FDCWD);
  const there = cgroup.given ? { tolerate: [Errno.EEXIST] } : {};
  stage.call('mkdirat', [cwd, cgroup.path, octal(0o755)], "the container's cgroup", there);
  const directory = stage.open(
    'cgroup',
    'openat',
    [cwd, cgroup.path, flags(O, 'O_RDONLY', 'O_DIRECTORY', 'O_CLOEXEC')],
    'to write to it and clone into it',
  );
  for (const { file, value } of cgroup.writes) {
    const fd = stage.open('limit', 'openat', [directory, file, flags(O, 'O_WRONLY', 'O_CLOEXEC')], file);
    stage.call('write', [fd, value, Buffer.byteLength(value)], `set ${file}`);
    stage.call('close', [fd], 'done');
  }
  if (cgroup.deviceProgram) restrictDevices(stage, directory, cgroup.deviceProgram);
  return directory;
}

/** cgroup v2 has no devices controller: an eBPF program attached to the group decides instead. bpf(2). */
function restrictDevices(stage: Stage, cgroup: Slot, instructions: Uint8Array): void {
  const load: Struct = {
    bytes: bpfProgLoadAttr(instructions),
    text: `{BPF_PROG_TYPE_CGROUP_DEVICE, ${instructions.length / 8} instructions}`,
    pointers: [
      { offset: BPF_PROG_LOAD_ATTR.insns, to: { bytes: instructions, text: 'insns' } },
      { offset: BPF_PROG_LOAD_ATTR.license, to: BPF_LICENSE },
    ],
  };
  const program = stage.open(
    'device_program',
    'bpf',
    [flags(BPF, 'BPF_PROG_LOAD'), load, load.bytes.length],
    'which devices may be opened or made, as a program',
    // The verifier gives up where a signal is pending: SIGCHLD, when another container has just died. It is delivered as the call returns.
    { tolerate: [Errno.EAGAIN], skipOnError: AGAIN },
  );
  const bytes = bpfProgAttachAttr();
  const attach: Struct = {
    bytes,
    text: `{target=${cgroup.name}, prog=${program.name}, BPF_CGROUP_DEVICE}`,
    slots: [
      { offset: BPF_PROG_ATTACH_ATTR.target_fd, slot: cgroup, width: 4 },
      { offset: BPF_PROG_ATTACH_ATTR.attach_bpf_fd, slot: program, width: 4 },
    ],
  };
  stage.call('bpf', [flags(BPF, 'BPF_PROG_ATTACH'), attach, bytes.length], 'the kernel asks it from now on');
  stage.call('close', [program], 'the group keeps it');
}
