import { badOption } from './bad-option.ts';

/** A whole number from `minimum` to `maximum`, in decimal. @throws BAD_OPTION */
export function parseInteger(
  flag: string,
  value: string | number,
  minimum: number,
  maximum: number,
  example: string,
): number {
  const number = /^[+-]?\d+$/.test(String(value)) ? Number(value) : Number.NaN;
  if (Number.isNaN(number)) throw badOption(flag, value, 'not a whole number', example);
  if (number < minimum || number > maximum) {
    throw badOption(flag, value, `not in the range from ${minimum} to ${maximum}`, example);
  }
  return number;
}
