import { TsboxError } from '../../kernel/index.ts';
import { type Address, bitsOf, formatAddress, parseAddress } from './address.ts';

/** A subnet: the addresses that begin with the same `length` bits. */
export interface Prefix {
  family: 4 | 6;
  /** Its first address; the bits after `length` are 0. */
  value: bigint;
  length: number;
}

/**
 * `10.87.0.0/16`, `fd00::/64`.
 *
 * @throws {TsboxError} BAD_SUBNET, also where an address inside a subnet was given, such as 10.87.0.1/16
 */
export function parsePrefix(text: string): Prefix {
  const { address, length } = parseAddressWithLength(text);
  const prefix = prefixOf(address, length);
  if (prefix.value !== address.value)
    throw badSubnet(text, `is an address in a subnet; the subnet is ${formatPrefix(prefix)}`);
  return prefix;
}

/** `10.87.0.1/16`: an address and the length of its subnet's prefix. @throws {TsboxError} BAD_SUBNET */
export function parseAddressWithLength(text: string): { address: Address; length: number } {
  const [, before = '', bits = ''] = /^([0-9a-fA-F:.]{2,45})\/(\d{1,3})$/.exec(text) ?? [];
  const address = parseAddress(before);
  if (address === undefined) throw badSubnet(text, 'is not a subnet such as 10.1.2.0/24 or fd12:3456::/64');
  const length = Number(bits);
  if (length > bitsOf(address.family))
    throw badSubnet(text, `has a prefix longer than the ${bitsOf(address.family)} bits of an address`);
  return { address, length };
}

/** The subnet of that prefix length that an address is in. */
export function prefixOf({ family, value }: Address, length: number): Prefix {
  const below = BigInt(bitsOf(family) - length);
  return { family, value: (value >> below) << below, length };
}

export function formatPrefix(prefix: Prefix): string {
  return `${formatAddress(prefix)}/${prefix.length}`;
}

/** How many addresses it has, with the first and the last. */
export function sizeOf({ family, length }: Prefix): bigint {
  return 1n << BigInt(bitsOf(family) - length);
}

/** @param n from 0; negative counts from the end: -1 is the last one */
export function nthAddress(prefix: Prefix, n: bigint | number): Address {
  const index = BigInt(n) < 0n ? sizeOf(prefix) + BigInt(n) : BigInt(n);
  if (index < 0n || index >= sizeOf(prefix))
    throw new RangeError(`${formatPrefix(prefix)} has no address ${n}`);
  return { family: prefix.family, value: prefix.value + index };
}

/** Whether an address, or all of another subnet, is in it. */
export function contains(prefix: Prefix, other: Address | Prefix): boolean {
  if (other.family !== prefix.family) return false;
  if ('length' in other && other.length < prefix.length) return false;
  return other.value >= prefix.value && other.value < prefix.value + sizeOf(prefix);
}

export function overlaps(one: Prefix, other: Prefix): boolean {
  return contains(one, other) || contains(other, one);
}

function badSubnet(text: string, problem: string): TsboxError {
  const shown = /^[\x21-\x7e]{1,60}$/.test(text) ? text : JSON.stringify(text.slice(0, 60));
  return new TsboxError('BAD_SUBNET', `${shown} ${problem}`);
}
