import {
  BPF,
  BPF_LICENSE,
  BPF_PROG_LOAD_ATTR,
  bpfProgLoadAttr,
  DEFAULT_DEVICE_RULES,
  deviceProgram,
} from '../../cgroup/index.ts';
import {
  cString,
  Errno,
  FSOPEN,
  native,
  type SyscallArgument,
  type SyscallName,
} from '../../kernel/index.ts';
import { attempt, opened } from './attempt.ts';
import type { Probe } from './check.ts';
import { linkProbe } from './probe-network.ts';
import { overlayProbe } from './probe-overlay.ts';
import { idMapProbe, userNamespaceProbe } from './probe-user-namespace.ts';

/** System calls that change nothing: what each gives is its errno, 0 where the kernel does it. `root` is where tsbox keeps things. */
export const PROBES: Record<Probe, (root: string) => number> = {
  // Where they are there, these complain of the struct of no bytes before anything else.
  clone3: () => refusal('clone3', [0, 0], Errno.EINVAL),
  openat2: () => refusal('openat2', [-100, cString('/'), 0, 0], Errno.EINVAL),
  mount_setattr: () => refusal('mount_setattr', [-1, cString(''), 0, 0, 0], Errno.EINVAL),
  pidfd_open: () => opened('pidfd_open', [process.pid, 0]),
  fsopen: () => opened('fsopen', [cString('overlay'), FSOPEN.FSOPEN_CLOEXEC]),
  overlay: overlayProbe,
  'seccomp filter': seccompProbe,
  'device program': deviceProgramProbe,
  'user namespace': userNamespaceProbe,
  'id-mapped mount': idMapProbe,
  'bridge link': () => linkProbe('bridge'),
  'veth link': () => linkProbe('veth'),
  'macvlan link': () => linkProbe('macvlan'),
  'ipvlan link': () => linkProbe('ipvlan'),
};

function refusal(name: SyscallName, args: SyscallArgument[], expected: number): number {
  const { error } = attempt(name, args);
  return error === expected ? 0 : error;
}

/** seccomp(2): SECCOMP_GET_ACTION_AVAIL is 2, SECCOMP_RET_ERRNO is 0x00050000. */
function seccompProbe(): number {
  const action = Buffer.alloc(4);
  action.writeUInt32LE(0x00050000);
  return attempt('seccomp', [2, 0, action]).error;
}

/** Loads the rules that every container has, and lets go of them without attaching them to anything. */
function deviceProgramProbe(): number {
  const program = deviceProgram(DEFAULT_DEVICE_RULES) ?? Buffer.alloc(0);
  const license = cString(BPF_LICENSE);
  const attr = bpfProgLoadAttr(program);
  attr.writeBigUInt64LE(native().address(program), BPF_PROG_LOAD_ATTR.insns);
  attr.writeBigUInt64LE(native().address(license), BPF_PROG_LOAD_ATTR.license);
  return opened('bpf', [BPF.BPF_PROG_LOAD, attr, attr.length]);
}
