import type { ThrottleDevice } from '../../runtime/spec.ts';
import type { Host } from '../host.ts';
import { badOption, refuseNul } from './bad-option.ts';
import { parseBytes } from './bytes.ts';
import { parseInteger } from './integer.ts';

/**
 * `DEVICE:RATE`, what may be read from or written to a block device in a second: bytes with Docker's units, or operations.
 *
 * @throws BAD_OPTION for what is no block device, and a rate of 0, which would stop all
 */
export function parseThrottle(
  flag: string,
  value: string,
  unit: 'bytes' | 'operations',
  host: Host,
): ThrottleDevice {
  const example = unit === 'bytes' ? '/dev/sda:10m' : '/dev/sda:1000';
  refuseNul(flag, value);
  const colon = value.lastIndexOf(':');
  const path = value.slice(0, Math.max(0, colon));
  if (!path.startsWith('/')) throw badOption(flag, value, 'not of the form DEVICE:RATE', example);
  const text = value.slice(colon + 1);
  const rate =
    unit === 'bytes'
      ? parseBytes(flag, text, example)
      : parseInteger(flag, text, 1, Number.MAX_SAFE_INTEGER, example);
  if (rate < 1) throw badOption(flag, value, 'a rate is at least 1', example);
  const status = host.status(path);
  if (status === undefined) throw badOption(flag, value, `${path} is not there`, example);
  if (status.type !== 'block') throw badOption(flag, value, `${path} is not a block device`, example);
  return { major: status.major, minor: status.minor, rate };
}
