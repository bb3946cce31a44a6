import { randomHex, TsboxError } from '../../kernel/index.ts';
import { didYouMean } from '../../suggest.ts';
import { parsePrefix } from '../address/index.ts';
import { checkFree, chooseIpv4, chooseIpv6, type Taken, takenByHost } from './choose.ts';
import { type HostNetworks, thisHost } from './host.ts';
import { checkNetworkName } from './name.ts';
import { DEFAULT_NETWORK, type Network } from './network.ts';
import { askedInterface, checkNetworkOptions } from './settings.ts';
import { allNetworks, makeNetwork, networkNames, readNetwork, withNetworksLock } from './store.ts';
import { type ReadSubnet, readSubnets, writeSubnet } from './subnets.ts';

export interface CreateNetworkOptions {
  /** 1 to 128 letters, digits, `_`, `.` and `-`. */
  name: string;
  /** `bridge` (default), `macvlan` or `ipvlan`. */
  driver?: string;
  /** `10.1.2.0/24`, `fd12:3456::/64`; at most one of each family. Default: a free one. */
  subnets?: string[];
  /** The host's own address in a subnet. Default: its first one. */
  gateways?: string[];
  /** The part of a subnet that addresses are taken from. Default: all of it. */
  ipRanges?: string[];
  /** Addresses in the subnets that no container is given, by the names of who has them: `{ router: '10.1.2.7' }`. */
  auxiliaryAddresses?: Record<string, string>;
  /** IPv6 too: unless a subnet is given, a /64 of unique local addresses (RFC 4193). */
  ipv6?: boolean;
  /** Without a way out. */
  internal?: boolean;
  /** Docker's `-o`: `com.docker.network.driver.mtu`, `parent` and others; see docs/networking.md. */
  options?: Record<string, string>;
  labels?: Record<string, string>;
}

/**
 * Makes a network on disk; its bridge is made when a container needs it.
 *
 * @throws {TsboxError} BAD_OPTION, BAD_SUBNET, SUBNET_OVERLAP, NO_SUBNET_LEFT, NETWORK_EXISTS, INTERFACE_IN_USE
 */
export function createNetwork(asked: CreateNetworkOptions, host: HostNetworks = thisHost): Network {
  const { name, options = {}, labels = {}, internal = false } = asked;
  checkNetworkName(name);
  const driver = checkDriver(asked.driver ?? 'bridge');
  checkNetworkOptions(driver, options);
  const read = readSubnets({
    subnets: asked.subnets ?? [],
    gateways: asked.gateways ?? [],
    ranges: asked.ipRanges ?? [],
    auxiliary: asked.auxiliaryAddresses ?? {},
  });
  const ipv6 = asked.ipv6 === true || read.some(({ prefix }) => prefix.family === 6);
  return withNetworksLock(() => {
    if (networkNames().includes(name))
      throw new TsboxError('NETWORK_EXISTS', `network with name ${name} already exists`);
    const others = allNetworks();
    const id = randomHex(64);
    const network: Network = {
      name,
      id,
      driver,
      interface: askedInterface({ driver, options }) ?? `br-${id.slice(0, 12)}`,
      subnets: complete(read, ipv6, 'own', driver, others, host).map(writeSubnet),
      internal,
      ipv6,
      options,
      labels,
      created: new Date().toISOString(),
    };
    const user = others.find((other) => other.interface === network.interface);
    if (user !== undefined)
      throw new TsboxError(
        'INTERFACE_IN_USE',
        `network ${user.name} has the interface ${network.interface} already`,
      );
    makeNetwork(network);
    return network;
  });
}

/** The default network, which is made the first time that somebody needs it. */
export function defaultNetwork(host: HostNetworks = thisHost): Network {
  return (
    readNetwork(DEFAULT_NETWORK) ??
    withNetworksLock(() => {
      const there = readNetwork(DEFAULT_NETWORK);
      if (there !== undefined) return there;
      const network = newDefaultNetwork(host);
      makeNetwork(network);
      return network;
    })
  );
}

/** As it would be made now. */
export function newDefaultNetwork(host: HostNetworks = thisHost): Network {
  const ipv6 = host.hasIpv6();
  return {
    name: DEFAULT_NETWORK,
    id: randomHex(64),
    driver: 'bridge',
    interface: freeInterface(host),
    subnets: complete([], ipv6, 'default', 'bridge', allNetworks(), host).map(writeSubnet),
    internal: false,
    ipv6,
    options: {},
    labels: {},
    created: new Date().toISOString(),
  };
}

/** Another store on this machine has `tsbox0`. What is of somebody else's is not evaded: whoever made it is to know. */
function freeInterface(host: HostNetworks): string {
  for (let number = 0; ; number++) if (!host.isTaken(`tsbox${number}`)) return `tsbox${number}`;
}

/** What was asked for where it can be had, and what is missing: IPv4 first. */
function complete(
  asked: readonly ReadSubnet[],
  ipv6: boolean,
  kind: 'default' | 'own',
  driver: Network['driver'],
  others: readonly Network[],
  host: HostNetworks,
): ReadSubnet[] {
  if (ipv6 && !host.hasIpv6())
    throw new TsboxError(
      'NO_IPV6',
      'this host has no IPv6: it is switched off in the kernel (ipv6.disable=1)',
      {
        advice: 'leave out --ipv6 and subnets of IPv6',
      },
    );
  const networks: Taken[] = others.flatMap(({ name, subnets }) =>
    subnets.map(({ subnet }) => ({ prefix: parsePrefix(subnet), network: name })),
  );
  const taken = [...networks, ...takenByHost(host.subnets())];
  // Who shares a link of the host is in the subnet that the link is in.
  for (const { prefix } of asked) checkFree(prefix, driver === 'bridge' ? taken : networks);
  const ofFamily = (family: 4 | 6) => asked.find(({ prefix }) => prefix.family === family);
  const ipv4 = ofFamily(4) ?? { prefix: chooseIpv4(kind, taken) };
  return ipv6 ? [ipv4, ofFamily(6) ?? { prefix: chooseIpv6(taken) }] : [ipv4];
}

function checkDriver(driver: string): Network['driver'] {
  const known = ['bridge', 'macvlan', 'ipvlan'] as const;
  const found = known.find((each) => each === driver);
  if (found !== undefined) return found;
  const shown = JSON.stringify(driver.slice(0, 40));
  throw new TsboxError(
    'BAD_OPTION',
    `--driver ${shown}: there is no such driver${didYouMean(driver, known)}`,
    {
      advice: `there are ${known.join(', ')}`,
    },
  );
}
