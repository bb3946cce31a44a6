import { statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { randomHex, TsboxError } from '../../kernel/index.ts';
import { checkName, printable } from '../options/index.ts';
import { makeVolume, readVolume, type VolumeRecord, withVolumesLock } from './store.ts';

export interface VolumeOptions {
  labels?: Record<string, string>;
  /** Only `local`. */
  driver?: string;
  /** Docker's `-o type=none -o o=bind -o device=/srv`: the volume is that directory of the host. */
  options?: Record<string, string>;
}

/**
 * Makes a volume. One of that name that is there already is given back as it is.
 *
 * @param name letters, digits, `_`, `.` and `-`; made up where there is none
 * @throws {TsboxError} BAD_OPTION, VOLUME_EXISTS where it is there with other options
 */
export function createVolume(name?: string, asked: VolumeOptions = {}): VolumeRecord {
  const { driver = 'local', labels = {}, options = {} } = asked;
  if (name !== undefined && name !== '') checkName('volume name', name);
  if (driver !== 'local') throw bad(`there is no volume driver \`${printable(driver)}\``, 'there is `local`');
  checkOptions(options);
  const anonymous = name === undefined || name === '';
  const volume: VolumeRecord = {
    name: anonymous ? randomHex(64) : name,
    driver,
    created: new Date().toISOString(),
    labels,
    options,
    ...(anonymous && { anonymous }),
  };
  return withVolumesLock(() => {
    const there = readVolume(volume.name);
    if (there === undefined) {
      makeVolume(volume);
      return volume;
    }
    if (Object.keys(options).length > 0 && JSON.stringify(there.options) !== JSON.stringify(options))
      throw new TsboxError('VOLUME_EXISTS', `volume ${there.name} already exists with different options`);
    return there;
  });
}

/** What needs a mount on the host is not there: tsbox makes none that could be left behind. */
function checkOptions(options: Record<string, string>): void {
  const names = Object.keys(options);
  if (names.length === 0) return;
  const unknown = names.find((name) => !['type', 'o', 'device'].includes(name));
  if (unknown !== undefined) throw bad(`there is no option \`${printable(unknown)}\``, 'type, o and device');
  const { type = 'none', o = '', device } = options;
  const isBind = (type === 'none' || type === 'bind') && /^r?bind$/.test(o);
  if (!isBind) {
    const advice =
      type === 'tmpfs'
        ? 'for memory in one container: --tmpfs; for a directory: -o type=none -o o=bind -o device=/srv/data'
        : 'mount it on the host, and name it: -o type=none -o o=bind -o device=/mnt/data';
    throw bad(`type=${printable(type)},o=${printable(o)} would need a mount on the host`, advice);
  }
  if (device === undefined || !isAbsolute(device) || device.includes('\0'))
    throw bad('device is not an absolute path', '-o device=/srv/data');
  if (statSync(device, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw bad(`${printable(device)} is not a directory`, `make it first: mkdir -p ${printable(device)}`);
}

function bad(problem: string, advice: string): TsboxError {
  return new TsboxError('BAD_OPTION', `volume create: ${problem}`, { advice });
}
