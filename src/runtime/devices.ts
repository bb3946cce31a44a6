import { AT, O, OPEN_TREE, S } from '../kernel/index.ts';
import { type Argument, flags, named, octal, type Slot } from '../launch/index.ts';
import type { Attacher } from './mount-attach.ts';
import type { Device, Spec } from './spec.ts';
import type { Stage } from './stage.ts';

/** The devices that every container has (config-linux.md, "Default Devices"). */
export const DEFAULT_DEVICES: readonly Device[] = [
  { type: 'c', path: '/dev/null', major: 1, minor: 3, fileMode: 0o666 },
  { type: 'c', path: '/dev/zero', major: 1, minor: 5, fileMode: 0o666 },
  { type: 'c', path: '/dev/full', major: 1, minor: 7, fileMode: 0o666 },
  { type: 'c', path: '/dev/random', major: 1, minor: 8, fileMode: 0o666 },
  { type: 'c', path: '/dev/urandom', major: 1, minor: 9, fileMode: 0o666 },
  { type: 'c', path: '/dev/tty', major: 5, minor: 0, fileMode: 0o666 },
];

/** The default ones and the configuration's own, which win where both name a path. */
export function allDevices(spec: Spec): Device[] {
  const own = spec.linux.devices ?? [];
  const paths = new Set(own.map((device) => device.path));
  return [...DEFAULT_DEVICES.filter((device) => !paths.has(device.path)), ...own];
}

/** Fills a /dev that is not visible to anybody yet: nodes, and the links that OCI names. */
export function populateDev(stage: Stage, dev: Slot, devices: readonly Device[]): void {
  const made = new Set<string>();
  for (const device of devices.filter(isInDev)) {
    const name = device.path.slice('/dev/'.length);
    const parts = name.split('/');
    for (let i = 1; i < parts.length; i++) directory(stage, dev, parts.slice(0, i).join('/'), made);
    makeNode(stage, dev, name, device);
  }
  for (const [name, target] of LINKS) stage.call('symlinkat', [target, dev, name], `/dev/${name}`);
}

/** Makes the nodes that are to be elsewhere than in /dev. */
export function makeNodes(stage: Stage, attacher: Attacher, devices: readonly Device[]): void {
  for (const device of devices.filter((device) => !isInDev(device))) {
    attacher.directory(device.path.slice(0, device.path.lastIndexOf('/')));
    makeNode(stage, named('AT_FDCWD', AT.AT_FDCWD), device.path, device);
  }
}

function makeNode(stage: Stage, at: Argument, name: string, device: Device): void {
  const type = device.type === 'b' ? S.S_IFBLK : device.type === 'p' ? S.S_IFIFO : S.S_IFCHR;
  const mode = octal(type | (device.fileMode ?? 0o666));
  stage.call('mknodat', [at, name, mode, deviceNumber(device.major, device.minor)], device.path);
  if (device.uid || device.gid)
    stage.call('fchownat', [at, name, device.uid ?? 0, device.gid ?? 0, 0], 'its owner');
}

function isInDev(device: Device): boolean {
  return device.path.startsWith('/dev/');
}

function directory(stage: Stage, dev: Slot, name: string, made: Set<string>): void {
  if (made.has(name)) return;
  made.add(name);
  stage.call('mkdirat', [dev, name, octal(0o755)], `/dev/${name}`);
}

/** Where device nodes cannot be made (in a user namespace mknod of a device is refused), the host's are shown. */
export function acquireHostDevice(stage: Stage, device: Device): Slot {
  return stage.open(
    `dev_${device.path.slice('/dev/'.length).replace(/\W/g, '_')}`,
    'open_tree',
    [named('AT_FDCWD', AT.AT_FDCWD), device.path, flags(OPEN_TREE, 'OPEN_TREE_CLONE', 'OPEN_TREE_CLOEXEC')],
    `the host's ${device.path}, because a user namespace cannot make device nodes`,
  );
}

const LINKS: [name: string, target: string][] = [
  ['fd', '/proc/self/fd'],
  ['stdin', '/proc/self/fd/0'],
  ['stdout', '/proc/self/fd/1'],
  ['stderr', '/proc/self/fd/2'],
  ['ptmx', 'pts/ptmx'],
];

/** `dev_t` as mknod(2) takes it: 12 bits of major, 20 of minor, in two pieces each. */
export function deviceNumber(major: number, minor: number): number {
  return ((minor & 0xff) | ((major & 0xfff) << 8) | ((minor & ~0xff) << 12)) >>> 0;
}

/** Flags to open a device or pty without it becoming the controlling terminal. */
export const OPEN_DEVICE = flags(O, 'O_RDWR', 'O_NOCTTY', 'O_CLOEXEC');
