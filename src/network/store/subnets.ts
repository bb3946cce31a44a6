import { TsboxError } from '../../kernel/index.ts';
import {
  type Address,
  bitsOf,
  contains,
  formatAddress,
  formatPrefix,
  nthAddress,
  type Prefix,
  parseAddress,
  parsePrefix,
} from '../address/index.ts';
import type { Subnet } from './network.ts';

/** Subnets as they were asked for, each with its gateway and its range. */
export interface AskedSubnets {
  subnets: readonly string[];
  gateways: readonly string[];
  ranges: readonly string[];
}

/** One that was asked for, read. */
export interface ReadSubnet {
  prefix: Prefix;
  gateway?: Address;
  range?: Prefix;
}

/**
 * Reads them, and finds for each gateway and range the subnet that it is in.
 *
 * @throws {TsboxError} BAD_SUBNET
 */
export function readSubnets(asked: AskedSubnets): ReadSubnet[] {
  const read: ReadSubnet[] = asked.subnets.map((text) => ({ prefix: checkUsable(parsePrefix(text)) }));
  for (const family of [4, 6] as const) {
    const [first, second] = read.filter(({ prefix }) => prefix.family === family);
    if (first !== undefined && second !== undefined)
      throw bad(
        `a network has one subnet of IPv${family}, not ${formatPrefix(first.prefix)} and ${formatPrefix(second.prefix)}`,
      );
  }
  for (const text of asked.gateways) {
    const gateway = parseAddress(text);
    if (gateway === undefined) throw bad(`gateway ${JSON.stringify(text.slice(0, 60))}: not an address`);
    const subnet = read.find(({ prefix }) => contains(prefix, gateway));
    if (subnet === undefined)
      throw bad(`gateway ${text} is in no subnet of the network`, 'give its subnet too: --subnet');
    if (subnet.gateway !== undefined) throw bad(`${formatPrefix(subnet.prefix)} has two gateways`);
    if (isReserved(subnet.prefix, gateway))
      throw bad(`gateway ${text} is no address that a host can have in ${formatPrefix(subnet.prefix)}`);
    subnet.gateway = gateway;
  }
  for (const text of asked.ranges) {
    const range = parsePrefix(text);
    const subnet = read.find(({ prefix }) => contains(prefix, range));
    if (subnet === undefined)
      throw bad(`range ${text} is in no subnet of the network`, 'give its subnet too: --subnet');
    if (subnet.range !== undefined) throw bad(`${formatPrefix(subnet.prefix)} has two ranges`);
    subnet.range = range;
  }
  return read;
}

/** As it is kept. The gateway is the first address unless another one was asked for. */
export function writeSubnet({ prefix, gateway = nthAddress(prefix, 1), range }: ReadSubnet): Subnet {
  return {
    subnet: formatPrefix(prefix),
    gateway: formatAddress(gateway),
    ...(range !== undefined && { range: formatPrefix(range) }),
  };
}

/** Whether an address means the subnet itself or all that are in it: in IPv6 the first one is that of any router (RFC 4291, 2.6.1). */
export function isReserved(prefix: Prefix, { family, value }: Address): boolean {
  return value === prefix.value || (family === 4 && value === nthAddress(prefix, -1).value);
}

function checkUsable(prefix: Prefix): Prefix {
  const text = formatPrefix(prefix);
  if (prefix.length > bitsOf(prefix.family) - 2)
    throw bad(
      `${text} is too small: there is no room for a gateway and a container`,
      'take four addresses or more: 10.1.2.0/30',
    );
  const other = SPECIAL.find(([subnet]) => contains(subnet, prefix) || contains(prefix, subnet));
  if (other !== undefined)
    throw bad(`${text} cannot be a network’s: ${formatPrefix(other[0])} is ${other[1]}`);
  return prefix;
}

/** RFC 6890. */
const SPECIAL = (
  [
    ['0.0.0.0/8', 'for “this network”'],
    ['127.0.0.0/8', 'loopback'],
    ['169.254.0.0/16', 'for link-local addresses'],
    ['224.0.0.0/4', 'for multicast'],
    ['240.0.0.0/4', 'reserved'],
    ['::/8', 'reserved'],
    ['fe80::/10', 'for link-local addresses'],
    ['ff00::/8', 'for multicast'],
  ] as const
).map(([subnet, use]) => [parsePrefix(subnet), use] as const);

function bad(problem: string, advice?: string): TsboxError {
  return new TsboxError('BAD_SUBNET', problem, advice === undefined ? {} : { advice });
}
