import { AT, O } from '../kernel/index.ts';
import { flags, named, octal, type Slot, type Struct } from '../launch/index.ts';
import type { Stage } from './stage.ts';

/** The container's cgroup, as src/cgroup/ computed it. */
export interface CgroupPlan {
  /** Absolute; its parents exist. */
  path: string;
  writes: readonly { file: string; value: string }[];
  /** eBPF instructions that decide over device access; undefined for no restriction. */
  deviceProgram?: Uint8Array;
}

/**
 * Makes the group and sets its limits while it is still empty: the clone is born in it (CLONE_INTO_CGROUP), so not one
 * instruction of the program runs outside its limits. Moving it in later would also take 9 ms, as that waits for RCU.
 */
export function makeCgroup(stage: Stage, cgroup: CgroupPlan): Slot {
  const cwd = named('AT_FDCWD', AT.AT_FDCWD);
  stage.call('mkdirat', [cwd, cgroup.path, octal(0o755)], "the container's cgroup");
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
  const load = Buffer.alloc(128);
  load.writeUInt32LE(BPF_PROG_TYPE_CGROUP_DEVICE, 0);
  load.writeUInt32LE(instructions.length / 8, 4);
  const program = stage.open(
    'device_program',
    'bpf',
    [
      named('BPF_PROG_LOAD', 5),
      {
        bytes: load,
        text: `{BPF_PROG_TYPE_CGROUP_DEVICE, ${instructions.length / 8} instructions}`,
        pointers: [
          { offset: 8, to: { bytes: instructions, text: 'insns' } },
          { offset: 16, to: 'Apache-2.0' },
        ],
      },
      load.length,
    ],
    'which devices may be opened or made, as a program',
  );
  const attach: Struct = {
    bytes: (() => {
      const bytes = Buffer.alloc(16);
      bytes.writeUInt32LE(BPF_CGROUP_DEVICE, 8);
      bytes.writeUInt32LE(BPF_F_ALLOW_MULTI, 12);
      return bytes;
    })(),
    text: `{target=${cgroup.name}, prog=${program.name}, BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI}`,
    slots: [
      { offset: 0, slot: cgroup, width: 4 },
      { offset: 4, slot: program, width: 4 },
    ],
  };
  stage.call('bpf', [named('BPF_PROG_ATTACH', 8), attach, 16], 'the kernel asks it from now on');
  stage.call('close', [program], 'the group keeps it');
}

const BPF_PROG_TYPE_CGROUP_DEVICE = 15;
const BPF_CGROUP_DEVICE = 6;
const BPF_F_ALLOW_MULTI = 2;
