import {
  AT,
  FSCONFIG,
  FSMOUNT,
  FSOPEN,
  MOUNT_ATTR,
  MOUNT_ATTR__ATIME,
  O,
  OPEN_TREE,
  RESOLVE,
} from '../kernel/index.ts';
import { flags, named, type Slot } from '../launch/index.ts';
import { ACCESS_TIMES, type MountOptions, parseMountOptions } from './mount-options.ts';
import type { Mount } from './spec.ts';
import type { Stage } from './stage.ts';
import { attributes, MOUNT_ATTR_SIZE, mountAttr } from './structs.ts';

/** Whether the owners of its files are shown as others. */
export function isMapped(mount: Mount): boolean {
  return (mount.uidMappings?.length ?? 0) > 0 || /\br?idmap\b/.test((mount.options ?? []).join());
}

/** Opens what a mount shows, as a detached mount in a slot, while the host's paths can still be resolved. */
export function acquireMount(stage: Stage, mount: Mount, userns?: Slot): Slot {
  const options = parseMountOptions(mount.destination, mount.options);
  if (isBind(mount)) return acquireBind(stage, mount, options, userns);
  const type = mount.type === 'cgroup' ? 'cgroup2' : (mount.type ?? 'none');
  const fd = acquireFileSystem(stage, type, options, mount.source);
  if (isMapped(mount) && userns !== undefined) mapIds(stage, fd, userns, options);
  return fd;
}

/** Whether a mount shows a part of the host. */
export function isBind(mount: Mount): boolean {
  return (
    mount.type === 'bind' || (mount.options ?? []).some((option) => option === 'bind' || option === 'rbind')
  );
}

/** A bind mount is a clone of a part of the mount tree. It never shares propagation with the host unless that was asked for. */
export function acquireBind(stage: Stage, mount: Mount, options: MountOptions, userns?: Slot): Slot {
  const source = mount.source ?? '';
  const below = mount.subpath === undefined ? undefined : openBelow(stage, source, mount.subpath);
  const fd = stage.open(
    slotName(mount.destination),
    'open_tree',
    [
      below ?? CWD,
      below ? '' : source,
      flags(
        OPEN_TREE,
        'OPEN_TREE_CLONE',
        'OPEN_TREE_CLOEXEC',
        ...(below ? (['AT_EMPTY_PATH'] as const) : []),
        ...(options.recursive ? (['AT_RECURSIVE'] as const) : []),
      ),
    ],
    `a view of the host's ${mount.subpath === undefined ? source : `${source}/${mount.subpath}`} for ${mount.destination}`,
  );
  if (below) stage.call('close', [below], 'done');
  setPropagation(stage, fd, options);
  setAttributes(stage, fd, options, mount.destination);
  if (isMapped(mount) && userns !== undefined) mapIds(stage, fd, userns, options);
  return fd;
}

/**
 * A directory below another one. Whoever has the volume may put a link anywhere in it, at any moment: the kernel resolves the path and stays inside, and what it has
 * found is what is mounted (CVE-2021-25741 and CVE-2023-3676 of Kubernetes were looks before a mount by path).
 */
function openBelow(stage: Stage, source: string, subpath: string): Slot {
  const open = flags(O, 'O_PATH', 'O_DIRECTORY', 'O_CLOEXEC');
  const volume = stage.open('volume', 'openat', [CWD, source, open, 0], 'the volume');
  const how = Buffer.alloc(24);
  how.writeBigUInt64LE(BigInt(open.value), 0);
  how.writeBigUInt64LE(BigInt(RESOLVE.RESOLVE_BENEATH | RESOLVE.RESOLVE_NO_MAGICLINKS), 16);
  const text = `{flags=${open.text}, resolve=RESOLVE_BENEATH|RESOLVE_NO_MAGICLINKS}`;
  const below = stage.open(
    'subpath',
    'openat2',
    [volume, subpath, { bytes: how, text }, how.length],
    'its directory, unless a link leads out of the volume',
  );
  stage.call('close', [volume], 'done');
  return below;
}

const CWD = named('AT_FDCWD', AT.AT_FDCWD);

/** A new instance of a file system: fsopen, its options, create, fsmount. */
export function acquireFileSystem(stage: Stage, type: string, options: MountOptions, source?: string): Slot {
  const context = stage.open(
    `${type}_fs`,
    'fsopen',
    [type, flags(FSOPEN, 'FSOPEN_CLOEXEC')],
    `a new ${type}`,
  );
  const configure = (command: keyof typeof FSCONFIG, key: string | null, value: string | null) =>
    stage.call(
      'fsconfig',
      [context, flags(FSCONFIG, command), key, value, 0],
      key === null ? `create it` : `its ${key}`,
    );
  if (source !== undefined && source !== '' && type !== 'proc')
    configure('FSCONFIG_SET_STRING', 'source', source);
  for (const [key, value] of options.data) {
    configure(value === undefined ? 'FSCONFIG_SET_FLAG' : 'FSCONFIG_SET_STRING', key, value ?? null);
  }
  configure('FSCONFIG_CMD_CREATE', null, null);
  return stage.open(
    `${type}_mount`,
    'fsmount',
    [context, flags(FSMOUNT, 'FSMOUNT_CLOEXEC'), attributes(options.set)],
    `a mount of it that is nowhere yet`,
  );
}

/** Linux 5.12, and a file system that can do it. */
function mapIds(stage: Stage, fd: Slot, userns: Slot, { idMap }: MountOptions): void {
  const set = flags(MOUNT_ATTR, 'MOUNT_ATTR_IDMAP');
  stage.call(
    'mount_setattr',
    [
      fd,
      '',
      idMap === 'ridmap' ? flags(AT, 'AT_EMPTY_PATH', 'AT_RECURSIVE') : flags(AT, 'AT_EMPTY_PATH'),
      mountAttr({ set, userns }),
      MOUNT_ATTR_SIZE,
    ],
    "in which root's files are the container root's",
  );
}

function setPropagation(stage: Stage, fd: Slot, options: MountOptions): void {
  const propagation = options.propagation ?? { value: 1 << 18, text: 'MS_PRIVATE' };
  stage.call(
    'mount_setattr',
    [fd, '', flags(AT, 'AT_EMPTY_PATH', 'AT_RECURSIVE'), mountAttr({ propagation }), MOUNT_ATTR_SIZE],
    propagation.text === 'MS_PRIVATE' ? 'later mounts on either side stay there' : 'as asked for',
  );
}

function setAttributes(stage: Stage, fd: Slot, options: MountOptions, destination: string): void {
  if (options.set.size === 0 && options.clear.size === 0) return;
  const accessTime = ACCESS_TIMES.some((name) => options.set.has(name) || options.clear.has(name));
  const clear = attributes(options.clear);
  stage.call(
    'mount_setattr',
    [
      fd,
      '',
      options.recursiveAttributes ? flags(AT, 'AT_EMPTY_PATH', 'AT_RECURSIVE') : flags(AT, 'AT_EMPTY_PATH'),
      mountAttr({
        set: attributes(options.set),
        clear: accessTime ? named('MOUNT_ATTR__ATIME', Number(clear.value) | MOUNT_ATTR__ATIME) : clear,
      }),
      MOUNT_ATTR_SIZE,
    ],
    `the options of ${destination}`,
  );
}

function slotName(destination: string): string {
  return `bind_${destination.replace(/[^A-Za-z0-9]+/g, '_').replace(/^_|_$/g, '')}`;
}
