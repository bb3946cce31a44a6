import { deviceMounts } from '../../runtime/device-mounts.ts';
import type { Mount } from '../../runtime/spec.ts';
import type { Host } from '../host.ts';
import {
  badOption,
  parseBytes,
  parseMount,
  parseTmpfs,
  parseVolume,
  printable,
  type UnnamedUse,
} from '../options/index.ts';
import type { RunOptions } from '../run-options.ts';
import { type VolumeUse, volumeMount } from '../volume/use.ts';

/**
 * All mounts of a container, in the order they are made: those that every container has, in Docker's order, and then those asked for, parents before
 * children. One asked for takes the place of a default one at the same spot; one at /dev, that of everything in /dev.
 *
 * An image's `Volumes` are volumes without names, but where something else is mounted, and but in the kernel's own places: those are left to the
 * caller.
 *
 * @param given what else they depend on: the image's `Volumes`, how a volume without a name is called, and whether ids are mapped
 * @param mapsGroup5 whether the container has a group 5: devpts must be told to leave its nodes' group alone where it has not
 * @throws BAD_OPTION, NO_BIND_SOURCE
 */
export function buildMounts(
  options: Pick<RunOptions, 'tmpfs' | 'volumes' | 'mounts' | 'shmSize' | 'ipc' | 'privileged'>,
  given: { volumes: readonly string[]; newName: () => string; mapped: boolean },
  mapsGroup5: boolean,
  host: Host,
): { mounts: Mount[]; volumes: VolumeUse[] } {
  const asked = [
    ...(options.volumes ?? []).map((value) => ({
      flag: '--volume',
      mount: parseVolume('--volume', value, host),
    })),
    ...(options.mounts ?? []).map((value) => ({
      flag: '--mount',
      mount: parseMount('--mount', value, host),
    })),
    ...(options.tmpfs ?? []).map((value) => ({ flag: '--tmpfs', mount: parseTmpfs('--tmpfs', value) })),
  ];
  const places = new Set<string>();
  for (const { flag, mount } of asked) {
    if (places.has(mount.destination)) {
      throw badOption(flag, undefined, `duplicate mount point: ${printable(mount.destination)}`);
    }
    places.add(mount.destination);
  }
  const standard = defaultMounts(options, mapsGroup5).filter(
    ({ destination }) => !places.has(destination) && !(places.has('/dev') && destination.startsWith('/dev/')),
  );
  const taken = (path: string) => places.has(path) || standard.some((mount) => mount.destination === path);
  const images: UnnamedUse[] = given.volumes
    .filter((path) => !taken(path))
    .map((destination) => ({ destination }));
  const volumes: VolumeUse[] = [];
  const mounts = [...asked.map(({ mount }) => mount), ...images].map((mount): Mount => {
    if ('type' in mount) return mount;
    const { name, ...use } = mount as UnnamedUse;
    const named = name === undefined ? { ...use, name: given.newName(), anonymous: true } : { ...use, name };
    volumes.push(named);
    return volumeMount(named, given.mapped, host);
  });
  mounts.sort((a, b) => depth(a.destination) - depth(b.destination));
  return { mounts: [...standard, ...mounts], volumes };
}

function depth(path: string): number {
  return path.split('/').length;
}

function defaultMounts(
  options: Pick<RunOptions, 'shmSize' | 'ipc' | 'privileged'>,
  mapsGroup5: boolean,
): Mount[] {
  const strict = ['nosuid', 'noexec', 'nodev'];
  const access = options.privileged ? [] : ['ro'];
  const shmSize = parseBytes('--shm-size', options.shmSize ?? 64 * 1024 * 1024);
  const { dev, pts, shm, mqueue } = deviceMounts(`${shmSize}`, mapsGroup5);
  return [
    { destination: '/proc', type: 'proc', source: 'proc', options: strict },
    dev,
    pts,
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: [...strict, ...access] },
    { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: [...strict, ...access] },
    mqueue,
    // POSIX shared memory is files: with the host's IPC namespace belongs the host's directory of them.
    options.ipc === 'host'
      ? {
          destination: '/dev/shm',
          type: 'bind',
          source: '/dev/shm',
          options: ['rbind', 'rprivate', ...strict],
        }
      : shm,
  ];
}
