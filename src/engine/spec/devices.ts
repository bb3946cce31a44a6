import { DEFAULT_DEVICE_RULES } from '../../cgroup/index.ts';
import type { Device, DeviceRule } from '../../runtime/spec.ts';
import type { Host } from '../host.ts';
import { devicesBelow, parseDevice, parseDeviceRule } from '../options/index.ts';
import type { RunOptions } from '../run-options.ts';

/**
 * The devices of a container beyond the ones that every container has, and what its cgroup lets it do with which. By default that is to make any
 * node, and to use the harmless ones; `--device` and `--device-cgroup-rule` allow more. A privileged container has all of the host's.
 *
 * @throws BAD_OPTION
 */
export function buildDevices(
  options: Pick<RunOptions, 'devices' | 'deviceCgroupRules' | 'privileged'>,
  host: Host,
): { devices: Device[]; rules: DeviceRule[] } {
  const grants = (options.devices ?? []).map((value) => parseDevice('--device', value, host));
  const rules = (options.deviceCgroupRules ?? []).map((value) =>
    parseDeviceRule('--device-cgroup-rule', value),
  );
  const asked = grants.flatMap((grant) => grant.devices);
  if (options.privileged) {
    return {
      devices: unique([...asked, ...hostDevices(host)]),
      rules: [{ allow: true, type: 'a', access: 'rwm' }],
    };
  }
  return {
    devices: unique(asked),
    rules: [...DEFAULT_DEVICE_RULES, ...grants.flatMap((grant) => grant.rules), ...rules],
  };
}

/** The host's device nodes, without what a container has of its own: terminals, the console, mounts in /dev. */
function hostDevices(host: Host): Device[] {
  return devicesBelow(host, '/dev', '/dev', ownNames).filter((device) => !ownPaths.has(device.path));
}

const ownNames = new Set(['pts', 'shm', 'fd', 'mqueue', '.lxc', '.lxd-mounts', '.udev', '.udevdb']);
const ownPaths = new Set([
  '/dev/console',
  '/dev/ptmx',
  '/dev/null',
  '/dev/zero',
  '/dev/full',
  '/dev/random',
  '/dev/urandom',
  '/dev/tty',
]);

/** The first of each path: what was asked for wins over what is there anyway. */
function unique(devices: Device[]): Device[] {
  return [...new Map([...devices].reverse().map((device) => [device.path, device])).values()].reverse();
}
