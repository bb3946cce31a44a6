import { Errno, errnoName } from '../../kernel/index.ts';
import type { Check, Machine } from './check.ts';

/** overlayfs, and whether a container can write in the place where tsbox keeps them. */
export function filesystemChecks(machine: Machine): Check[] {
  return [overlay(machine), store(machine)];
}

function overlay(machine: Machine): Check {
  const name = 'overlayfs';
  const listed = /^(nodev)?\toverlay$/m.test(machine.read('/proc/filesystems') ?? '');
  if (listed) return { name, ok: true, detail: 'the kernel has it' };
  // Asking for a file system loads its module, which only root may do.
  const error = machine.uid === 0 ? machine.probe('fsopen') : undefined;
  if (error === 0) return { name, ok: true, detail: 'the kernel has it, as a module' };
  const detail = 'not in /proc/filesystems';
  const fix = 'modprobe overlay, and a line `overlay` in /etc/modules-load.d/overlay.conf to keep it';
  const cost = 'no container can be started';
  if (error === undefined)
    return { name, ok: 'unknown', detail: `${detail}; root can tell whether its module loads`, cost, fix };
  return { name, ok: false, detail: `${detail}, and it does not load: ${errnoName(error)}`, cost, fix };
}

/** Tried for real, on directories that are removed again: too much depends on the file system, its options and the kernel. */
function store(machine: Machine): Check {
  const name = 'file system of the store';
  if (machine.uid !== 0)
    return {
      name,
      ok: 'unknown',
      detail: `${machine.root}: only root can try to overlay it`,
      fix: 'sudo tsbox doctor',
    };
  const error = machine.probe('overlay');
  if (error === 0) return { name, ok: true, detail: `an overlay can be written in ${machine.root}` };
  const full = error === Errno.ENOSPC || error === Errno.EROFS;
  return {
    name,
    ok: false,
    detail: `an overlay cannot be written in ${machine.root}: ${errnoName(error)}`,
    cost: 'no container can be started',
    fix: full
      ? `make room, or keep the store elsewhere: TSBOX_ROOT=/path`
      : 'keep the store on ext4, xfs, btrfs or tmpfs: TSBOX_ROOT=/path (an overlay, as in a container, or NFS does not do)',
  };
}
