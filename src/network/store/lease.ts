import { randomHex, TsboxError } from '../../kernel/index.ts';
import {
  contains,
  formatAddress,
  formatPrefix,
  macOf,
  type Prefix,
  parseAddress,
  parseMac,
  parsePrefix,
} from '../address/index.ts';
import { freeAddress, leasedAddresses, takeAddress } from './addresses.ts';
import { withNetworkLock } from './lock.ts';
import type { Network, Subnet } from './network.ts';
import { likelyNext, nextFree } from './next-free.ts';
import { networkNames, readNetwork } from './store.ts';
import { isReserved } from './subnets.ts';

/** What a container has in a network, as long as it runs. */
export interface Lease {
  network: string;
  networkId: string;
  driver: Network['driver'];
  /** With the length of the prefix: `10.87.0.2/16`; IPv4 first. */
  addresses: string[];
  /** Where its default routes lead; none in a network without a way out. */
  gateways: string[];
  mac: string;
  /** Names that the others in the network find it by, besides its own. */
  aliases: string[];
}

/** What a container wants in a network; what is left out is chosen. */
export interface LeaseRequest {
  ip?: string;
  ip6?: string;
  mac?: string;
  aliases?: string[];
}

/** Who the containers are: the network knows them by id only. */
export interface Holders {
  /** Whether a container that has an address is still there to use it. Asked only where there is none left, or somebody wants just this one. */
  isThere?: (id: string) => boolean;
  nameOf?: (id: string) => string;
}

/**
 * Gives a container its addresses in a network. They are its own until `release`; what somebody leaves behind who is killed, {@link staleLeases} frees. The container's directory
 * must be there by now, so that nobody takes it for gone.
 *
 * @throws {TsboxError} SUBNET_FULL, ADDRESS_IN_USE, BAD_ADDRESS; NO_NETWORK where it was removed meanwhile. Nothing is taken then.
 */
export function lease(network: Network, id: string, asked: LeaseRequest = {}, holders: Holders = {}): Lease {
  const checked = check(network, asked);
  return withNetworkLock(network, (cursors) => {
    const taken: string[] = [];
    try {
      return leaseOf(network, checked, (subnet, one) => {
        const address =
          one === undefined
            ? takeAny(network, subnet, id, holders, cursors)
            : takeThis(network, one, id, holders);
        taken.push(address);
        return address;
      });
    } catch (error) {
      for (const address of taken) freeAddress(network.name, address, id);
      throw error;
    }
  });
}

/** What `lease` would most likely give now; nothing is taken. @throws {TsboxError} SUBNET_FULL, BAD_ADDRESS */
export function likelyLease(network: Network, asked: LeaseRequest = {}): Lease {
  return leaseOf(network, check(network, asked), (subnet, one) => {
    const address = one ?? likelyNext(network.name, subnet);
    if (address === undefined) throw noneLeft(network, subnet);
    return address;
  });
}

/** @param choose one of the subnet's addresses, or just this one */
function leaseOf(
  network: Network,
  asked: LeaseRequest,
  choose: (subnet: Subnet, one: string | undefined) => string,
): Lease {
  const addresses = network.subnets.map((subnet) => {
    const { family, length } = parsePrefix(subnet.subnet);
    return `${choose(subnet, family === 4 ? asked.ip : asked.ip6)}/${length}`;
  });
  return {
    network: network.name,
    networkId: network.id,
    driver: network.driver,
    addresses,
    gateways: network.internal ? [] : network.subnets.flatMap(({ gateway }) => gateway ?? []),
    mac: asked.mac ?? ownMac((addresses[0] as string).replace(/\/.*/, '')),
    aliases: asked.aliases ?? [],
  };
}

function check(network: Network, { ip, ip6, mac, aliases }: LeaseRequest): LeaseRequest {
  return {
    ...(mac !== undefined && { mac: checkMac(mac) }),
    ...(ip !== undefined && { ip: checkAddress(network, 4, ip) }),
    ...(ip6 !== undefined && { ip6: checkAddress(network, 6, ip6) }),
    ...(aliases !== undefined && { aliases }),
  };
}

/**
 * Frees what a container has in a network. Nothing happens where it has nothing, or the network is gone.
 *
 * @param addresses only these, with or without a prefix, which costs less than to look for them; default: all that it has
 */
export function release(network: string, id: string, addresses?: readonly string[]): void {
  if (readNetworkSafely(network) === undefined) return;
  withNetworkLock({ name: network }, () => {
    const own =
      addresses?.map((each) => each.replace(/\/.*$/, '')) ??
      leasedAddresses(network).flatMap((each) => (each.id === id ? each.address : []));
    for (const address of own) freeAddress(network, address, id);
  });
}

/** Frees the addresses of containers that are no more, in all networks. @param isThere whether a container may still use what it has */
export function staleLeases(isThere: (id: string) => boolean): void {
  for (const name of networkNames()) {
    // Without the lock as long as there is nothing to do: this is asked often.
    if (!leasedAddresses(name).some(({ id }) => !isThere(id))) continue;
    withNetworkLock({ name }, () => freeStale(name, isThere));
  }
}

function freeStale(network: string, isThere: (id: string) => boolean): boolean {
  const stale = leasedAddresses(network).filter(({ id }) => !isThere(id));
  for (const { address, id } of stale) freeAddress(network, address, id);
  return stale.length > 0;
}

function takeAny(
  network: Network,
  subnet: Subnet,
  id: string,
  { isThere }: Holders,
  cursors: number,
): string {
  const take = () => nextFree(network.name, subnet, id, cursors);
  const address = take() ?? (isThere !== undefined && freeStale(network.name, isThere) ? take() : undefined);
  if (address === undefined) throw noneLeft(network, subnet);
  return address;
}

function noneLeft(network: Network, subnet: Subnet): TsboxError {
  const of = subnet.range === undefined ? subnet.subnet : `${subnet.range}, the range of ${subnet.subnet}`;
  return new TsboxError('SUBNET_FULL', `network ${network.name}: no address is left in ${of}`, {
    advice: 'stop containers that are in it, or make a network with a larger --subnet',
  });
}

function takeThis(network: Network, address: string, id: string, { isThere, nameOf }: Holders): string {
  let holder = takeAddress(network.name, address, id);
  if (holder !== undefined && isThere?.(holder) === false) {
    freeAddress(network.name, address, holder);
    holder = takeAddress(network.name, address, id);
  }
  if (holder === undefined) return address;
  throw new TsboxError(
    'ADDRESS_IN_USE',
    `network ${network.name}: container ${(nameOf ?? short)(holder)} has the address ${address} already`,
  );
}

function checkAddress(network: Network, family: 4 | 6, text: string): string {
  const flag = family === 4 ? '--ip' : '--ip6';
  const address = parseAddress(text);
  const shown = JSON.stringify(text.slice(0, 60));
  if (address?.family !== family) throw badAddress(`${flag} ${shown}: not an address of IPv${family}`);
  const subnet = network.subnets.find((each) => parsePrefix(each.subnet).family === family);
  if (subnet === undefined)
    throw badAddress(`${flag} ${text}: network ${network.name} has no IPv${family}`, 'make one with: --ipv6');
  const prefix: Prefix = parsePrefix(subnet.subnet);
  if (!contains(prefix, address))
    throw badAddress(`${flag} ${text}: network ${network.name} is ${formatPrefix(prefix)}`);
  if (isReserved(prefix, address))
    throw badAddress(`${flag} ${text}: is no address that a host can have in ${formatPrefix(prefix)}`);
  const normal = formatAddress(address);
  if (normal === subnet.gateway)
    throw badAddress(`${flag} ${text}: is the gateway of network ${network.name}`);
  const auxiliary = Object.values(subnet.auxiliaryAddresses ?? {});
  if (auxiliary.includes(normal))
    throw badAddress(
      `${flag} ${text}: is an auxiliary address of network ${network.name}, kept for somebody else`,
    );
  return normal;
}

function checkMac(text: string): string {
  const mac = parseMac(text);
  if (mac === undefined)
    throw badAddress(
      `--mac-address ${JSON.stringify(text.slice(0, 40))}: not an address that an interface can have, such as 02:42:ac:11:00:02`,
    );
  return mac;
}

function ownMac(address: string): string {
  const parsed = parseAddress(address);
  // Locally administered (IEEE 802), so that it is nobody's.
  return parsed?.family === 4 ? macOf(parsed) : `02:42:${(randomHex(8).match(/../g) as string[]).join(':')}`;
}

function readNetworkSafely(name: string): Network | undefined {
  try {
    return readNetwork(name);
  } catch {
    return undefined;
  }
}

function short(id: string): string {
  return id.slice(0, 12);
}

function badAddress(problem: string, advice?: string): TsboxError {
  return new TsboxError('BAD_ADDRESS', problem, advice === undefined ? {} : { advice });
}
