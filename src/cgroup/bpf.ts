import { closeSync, openSync } from 'node:fs';
import { native } from '../kernel/ffi.ts';
import { fields } from '../kernel/fields.ts';
import { closeDescriptor } from '../kernel/files.ts';
import { cString, syscall } from '../kernel/syscall.ts';

/**
 * bpf(2), as much as device rules need: loading a program and attaching it to a group. The two structs are given as bytes and
 * offsets, because in a plan the calls are steps, and what the pointers and descriptors will be is known only then.
 *
 *     bpf(BPF_PROG_LOAD,   attr = bpfProgLoadAttr(program), attr.length)  → descriptor of the program
 *     bpf(BPF_PROG_ATTACH, attr = bpfProgAttachAttr(),      attr.length)  → 0
 *
 * Source: linux/bpf.h, union bpf_attr. The kernel takes a shorter struct than its own for one whose rest is zero.
 */
export const BPF = { BPF_PROG_LOAD: 5, BPF_PROG_ATTACH: 8, BPF_PROG_DETACH: 9 } as const;

/** Offsets in the struct of BPF_PROG_LOAD of what is left 0 in `bpfProgLoadAttr`: two pointers of 8 bytes. */
export const BPF_PROG_LOAD_ATTR = { insns: 8, license: 16, size: 72 } as const;

/** Offsets in the struct of BPF_PROG_ATTACH of what is left 0 in `bpfProgAttachAttr`: two descriptors of 4 bytes. */
export const BPF_PROG_ATTACH_ATTR = { target_fd: 0, attach_bpf_fd: 4, size: 16 } as const;

/** What `license` must point to, NUL-terminated: ours. A program that calls none of the kernel's GPL-only helpers may have any. */
export const BPF_LICENSE = 'Apache-2.0';

/** The struct for loading `program` (instructions of 8 bytes each), but for its two pointers. */
export function bpfProgLoadAttr(program: Uint8Array): Buffer {
  const attr = Buffer.alloc(BPF_PROG_LOAD_ATTR.size);
  fields(attr).setUint32(0, BPF_PROG_TYPE_CGROUP_DEVICE, true);
  fields(attr).setUint32(4, program.length / 8, true);
  // prog_name, for `bpftool prog`: 16 bytes with the NUL.
  attr.write('tsbox_devices', 48, 'latin1');
  fields(attr).setUint32(68, BPF_CGROUP_DEVICE, true);
  return attr;
}

/** The struct for attaching a program to a group, but for its two descriptors. */
export function bpfProgAttachAttr(): Buffer {
  const attr = Buffer.alloc(BPF_PROG_ATTACH_ATTR.size);
  fields(attr).setUint32(8, BPF_CGROUP_DEVICE, true);
  // Not exclusive: a container may itself hold containers with narrower rules. All programs on the way up must agree.
  fields(attr).setUint32(12, BPF_F_ALLOW_MULTI, true);
  return attr;
}

/**
 * Loads the program and attaches it to a group that exists. From then on the kernel asks it at every open and mknod of a device by a
 * process in the group; it lives as long as the group.
 *
 * @throws {KernelError}
 */
export function attachDeviceProgram(path: string, program: Buffer): void {
  const license = cString(BPF_LICENSE);
  const load = bpfProgLoadAttr(program);
  fields(load).setBigUint64(BPF_PROG_LOAD_ATTR.insns, native().address(program), true);
  fields(load).setBigUint64(BPF_PROG_LOAD_ATTR.license, native().address(license), true);
  const loaded = syscall('bpf', [BPF.BPF_PROG_LOAD, load, load.length], { doing: 'load the device rules' });
  try {
    const group = openSync(path, 'r');
    try {
      const attach = bpfProgAttachAttr();
      fields(attach).setInt32(BPF_PROG_ATTACH_ATTR.target_fd, group, true);
      fields(attach).setInt32(BPF_PROG_ATTACH_ATTR.attach_bpf_fd, loaded, true);
      syscall('bpf', [BPF.BPF_PROG_ATTACH, attach, attach.length], {
        path,
        doing: 'attach the device rules',
      });
    } finally {
      closeSync(group);
    }
  } finally {
    closeDescriptor(loaded);
  }
}

const BPF_PROG_TYPE_CGROUP_DEVICE = 15;
const BPF_CGROUP_DEVICE = 6;
const BPF_F_ALLOW_MULTI = 2;
