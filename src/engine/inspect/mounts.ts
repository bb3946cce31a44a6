import type { Mount, Spec } from '../../runtime/spec.ts';
import type { VolumeUse } from '../volume/use.ts';

/** What was mounted because somebody asked for it: not the file systems that every container has. */
export function describeMounts(spec: Spec, volumes: readonly VolumeUse[] = []): Record<string, unknown>[] {
  return spec.mounts.filter(isAskedFor).map((mount) => {
    const { destination, source, options = [] } = mount;
    const bind = isBind(mount);
    const volume = volumes.find((each) => each.destination === destination);
    if (volume !== undefined)
      return {
        Type: 'volume',
        Name: volume.name,
        Source: source ?? '',
        Destination: destination,
        Driver: 'local',
        Mode: volume.readOnly ? 'ro' : '',
        RW: !volume.readOnly,
        Propagation: '',
      };
    return {
      Type: bind ? 'bind' : 'tmpfs',
      Source: bind ? (source ?? '') : '',
      Destination: destination,
      Mode: bind ? options.filter((option) => MODES.has(option)).join(',') : '',
      RW: !options.includes('ro') && !options.includes('rro'),
      Propagation: bind ? (options.find((option) => PROPAGATIONS.has(option)) ?? 'rprivate') : '',
    };
  });
}

export function isBind({ type, options = [] }: Mount): boolean {
  return type === 'bind' || options.includes('bind') || options.includes('rbind');
}

function isAskedFor(mount: Mount): boolean {
  if (isBind(mount)) return true;
  return mount.type === 'tmpfs' && mount.destination !== '/dev' && mount.destination !== '/dev/shm';
}

const MODES = new Set(['ro', 'rw', 'z', 'Z']);
const PROPAGATIONS = new Set(['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave']);
