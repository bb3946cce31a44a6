import { errnoName } from '../../kernel/index.ts';
import { atLeast, type Check, type Machine } from './check.ts';

/** Tried for real: a detached copy of the store's mount is mapped into a new user namespace, and dropped. */
export function idMappedMounts(machine: Machine): Check {
  const name = 'id-mapped mounts';
  const cost = '`--userns` does not work';
  if (machine.uid !== 0)
    return { name, ok: 'unknown', detail: 'only root can try', cost, fix: 'sudo tsbox doctor' };
  const error = machine.probe('id-mapped mount');
  if (error !== 0) {
    return {
      name,
      ok: false,
      detail: `the file system of ${machine.root} cannot be mapped: ${errnoName(error)}`,
      cost,
      fix: 'keep the store on ext4, xfs or btrfs (tmpfs from Linux 6.3): TSBOX_ROOT=/path',
    };
  }
  // fs/overlayfs accepts mapped layers from 5.19 on; to try that would take a container.
  if (atLeast(machine.release, '5.19')) {
    return {
      name,
      ok: true,
      detail: `tried on ${machine.root}: it works; under an overlay by the version (5.19)`,
    };
  }
  return {
    name,
    ok: false,
    detail: `tried on ${machine.root}: it works, but by the version not under an overlay, which takes Linux 5.19`,
    cost,
    fix: 'install a kernel of 5.19 or newer',
  };
}
