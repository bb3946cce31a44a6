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

/** Subnets as they were asked for, each with its gateway, its range and what is kept free in it. */
export interface AskedSubnets {
  subnets: readonly string[];
  gateways: readonly string[];
  ranges: readonly string[];
  auxiliary: Readonly<Record<string, string>>;
}

/** One that was asked for, read. */
export interface ReadSubnet {
  prefix: Prefix;
  gateway?: Address;
  range?: Prefix;
  auxiliary?: Record<string, string>;
}

/**
 * Reads them, and finds for each gateway, range and auxiliary address the subnet that it is in.
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
  for (const [name, text] of Object.entries(asked.auxiliary)) keepFree(read, name, text);
  return read;
}

/** After the gateways: an address that is kept free for somebody else is not the host's. */
function keepFree(read: readonly ReadSubnet[], name: string, text: string): void {
  const shown = `auxiliary address ${printable(`${name}=${text}`)}`;
  const address = parseAddress(text);
  if (address === undefined) throw bad(`${shown}: not an address`, 'give it a name: router=10.5.0.7');
  const subnet = read.find(({ prefix }) => contains(prefix, address));
  if (subnet === undefined)
    throw bad(`${shown} is in no subnet of the network`, 'give its subnet too: --subnet');
  const { prefix, gateway = nthAddress(prefix, 1), auxiliary = {} } = subnet;
  if (isReserved(prefix, address))
    throw bad(`${shown} is no address that a host can have in ${formatPrefix(prefix)}`);
  if (gateway.value === address.value) throw bad(`${shown} is the gateway of ${formatPrefix(prefix)}`);
  const normal = formatAddress(address);
  const other = Object.keys(auxiliary).find((each) => auxiliary[each] === normal);
  if (other !== undefined) throw bad(`${shown} is that of ${printable(other)} already`);
  // What is computed is a name of its own, also where it is `__proto__`.
  subnet.auxiliary = { ...auxiliary, ...Object.fromEntries([[name, normal]]) };
}

/** As it is kept. The gateway is the first address unless another one was asked for. */
export function writeSubnet({
  prefix,
  gateway = nthAddress(prefix, 1),
  range,
  auxiliary,
}: ReadSubnet): Subnet {
  return {
    subnet: formatPrefix(prefix),
    gateway: formatAddress(gateway),
    ...(range !== undefined && { range: formatPrefix(range) }),
    ...(auxiliary !== undefined && { auxiliaryAddresses: auxiliary }),
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

/** Names come from whoever types, and messages are one line. */
function printable(text: string): string {
  return /^[\x21-\x7e]{1,80}$/.test(text) ? text : JSON.stringify(text.slice(0, 80));
}

function bad(problem: string, advice?: string): TsboxError {
  return new TsboxError('BAD_SUBNET', problem, advice === undefined ? {} : { advice });
}
