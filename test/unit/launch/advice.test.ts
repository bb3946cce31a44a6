import { expect, test } from 'vitest';
import { Errno } from '../../../src/kernel/index.ts';
import { advice } from '../../../src/launch/advice.ts';
import { failureError, type Step } from '../../../src/launch/index.ts';

const step = (call: Step['call']): Step => ({ stage: 'S', call, args: [], why: 'why' });

test.each<[Step['call'], keyof typeof Errno, string]>([
  ['clone3', 'EPERM', 'user namespaces allowed'],
  ['setns', 'EPERM', 'user namespaces allowed'],
  ['clone3', 'ENOSPC', '/proc/sys/user/max_*_namespaces'],
  ['clone3', 'EAGAIN', 'pids.max'],
  ['clone3', 'EBUSY', 'child groups with controllers'],
  ['mount_setattr', 'EINVAL', 'Linux 5.19'],
  ['fsopen', 'ENODEV', 'modprobe'],
  ['mkdirat', 'EROFS', 'read-only'],
  ['prlimit64', 'EPERM', 'CAP_SYS_RESOURCE'],
  ['pivot_root', 'EINVAL', 'initramfs'],
  ['openat2', 'EXDEV', 'leads out of the volume'],
  ['openat2', 'ENOSYS', 'this kernel has no openat2; tsbox needs Linux 5.14'],
])('%s that fails with %s comes with advice', (call, errno, words) => {
  expect(advice(step(call), Errno[errno])).toContain(words);
  expect(failureError({ step: step(call), errno: Errno[errno] }).advice).toContain(words);
});

test('a root directory that is no mount point is not taken for a file system without ID maps', () => {
  const chrooted: Step = { ...step('mount_setattr'), args: [-100, '/', 0, 0, 32] };
  expect(advice(chrooted, Errno.EINVAL)).toContain('before the chroot');
  const mapped: Step = { ...step('mount_setattr'), args: [3, '', 0, 0, 32] };
  expect(advice(mapped, Errno.EINVAL)).toContain('Linux 5.19');
});

test('where the cause is not known there is none', () => {
  expect(advice(step('mkdirat'), Errno.EACCES)).toBeUndefined();
  expect(advice(step('close'), Errno.EPERM)).toBeUndefined();
});
