import type { Stats } from 'node:fs';

/** /dev/null, of whatever file system: makedev(1, 3), by the kernel's admin-guide/devices.txt. */
export function isNullDevice(stat: Stats): boolean {
  return stat.isCharacterDevice() && stat.rdev === 0x103;
}
