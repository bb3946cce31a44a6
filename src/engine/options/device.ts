import { posix } from 'node:path';
import type { Device, DeviceRule } from '../../runtime/spec.ts';
import type { FileStatus, Host } from '../host.ts';
import { badOption, refuseNul } from './bad-option.ts';

export interface DeviceGrant {
  devices: Device[];
  rules: DeviceRule[];
}

/**
 * `HOST[:CONTAINER][:rwm]`: a device of the host's, where it shall be, and what may be done with it (read, write, mknod; default all). A
 * directory stands for all devices in it. The place in the container is below /dev, where the runtime makes the nodes.
 *
 * Source: moby, oci/devices_linux.go; docker/cli, parseDevice.
 * @throws BAD_OPTION for what is no device and holds none
 */
export function parseDevice(flag: string, value: string, host: Host): DeviceGrant {
  refuseNul(flag, value);
  const parts = value.split(':');
  // With two parts, the second is a path or an access.
  const access = parts.length > 1 && !parts.at(-1)?.startsWith('/') ? (parts.pop() as string) : 'rwm';
  const [source = '', target = source, ...rest] = parts;
  if (rest.length > 0 || !/^(?!.*(.).*\1)[rwm]{1,3}$/.test(access)) {
    throw badOption(flag, value, 'not of the form HOST[:CONTAINER][:rwm]', example);
  }
  if (!source.startsWith('/')) throw badOption(flag, value, 'a device is an absolute path', example);
  const place = posix.normalize(target).replace(/(?<=.)\/$/, '');
  if (!/^\/dev(\/|$)/.test(place)) {
    throw badOption(flag, value, 'the place in the container must be below /dev', example);
  }
  const status = host.status(source);
  if (status === undefined) throw badOption(flag, value, `${source} is not there`, example);
  if (place === '/dev' && status.type !== 'directory') {
    throw badOption(flag, value, 'a device cannot take the place of /dev', example);
  }
  const devices =
    status.type === 'directory'
      ? devicesBelow(host, host.realPath(source) ?? source, place)
      : [toDevice(status, place)].filter((device) => device !== undefined);
  if (devices.length === 0) throw badOption(flag, value, `${source} is not a device`, example);
  return { devices, rules: devices.map((device) => ruleFor(device, access)) };
}

const example = '/dev/fuse:/dev/fuse:rw';

/** Every device below a directory of the host's, as it would be below `place`. Links are not followed: they would be found twice, or for ever. */
export function devicesBelow(
  host: Host,
  directory: string,
  place: string,
  skip: ReadonlySet<string> = new Set(),
): Device[] {
  return host.list(directory).flatMap((name) => {
    const path = posix.join(directory, name);
    if (skip.has(name) || host.realPath(path) !== path) return [];
    const status = host.status(path);
    if (status?.type === 'directory') return devicesBelow(host, path, posix.join(place, name), skip);
    const device = status && toDevice(status, posix.join(place, name));
    return device === undefined ? [] : [device];
  });
}

function toDevice(status: FileStatus, path: string): Device | undefined {
  if (status.type !== 'character' && status.type !== 'block') return undefined;
  return {
    type: status.type === 'block' ? 'b' : 'c',
    path,
    major: status.major,
    minor: status.minor,
    fileMode: status.mode & 0o777,
    uid: status.uid,
    gid: status.gid,
  };
}

function ruleFor(device: Device, access: string): DeviceRule {
  const type = device.type === 'b' ? 'b' : 'c';
  return { allow: true, type, major: device.major, minor: device.minor, access };
}

/** `c 1:3 rwm`, with `*` for any number and the type `a` for all. @throws BAD_OPTION */
export function parseDeviceRule(flag: string, value: string): DeviceRule {
  const match = /^([acb]) ([0-9]{1,9}|\*):([0-9]{1,9}|\*) ([rwm]{1,3})$/.exec(value);
  if (match === null) throw badOption(flag, value, 'not of the form TYPE MAJOR:MINOR ACCESS', "'c 1:3 rwm'");
  const number = (text: string | undefined) => (text === '*' ? -1 : Number(text));
  return {
    allow: true,
    type: match[1] as 'a' | 'b' | 'c',
    major: number(match[2]),
    minor: number(match[3]),
    access: match[4] as string,
  };
}
