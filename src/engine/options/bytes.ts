import { badOption } from './bad-option.ts';

/**
 * Bytes from Docker's notation: `512`, `64m`, `1.5g`, `10 KiB`. Units are powers of 1024 in any case, with or without `b` or `ib`;
 * a fraction of a byte is cut off. A number is bytes already.
 *
 * Source: docker/go-units, RAMInBytes.
 * @throws BAD_OPTION for what is no size, or one of 8 PiB and more, which a double no longer holds exactly
 */
export function parseBytes(flag: string, value: string | number, example = '64m'): number {
  const match = /^(\d+(?:\.\d+)?) ?([kmgtp]?)i?b?$/i.exec(String(value));
  if (match === null) {
    throw badOption(
      flag,
      value,
      'not a size (a number, and perhaps one of the units b, k, m, g, t, p)',
      example,
    );
  }
  const power = match[2] ? 'kmgtp'.indexOf(match[2].toLowerCase()) + 1 : 0;
  const bytes = Math.trunc(Number(match[1]) * 1024 ** power);
  if (!Number.isSafeInteger(bytes)) throw badOption(flag, value, 'too large', example);
  return bytes;
}
