import { createHash } from 'node:crypto';
import {
  findNetwork,
  leasedAddresses,
  listNetworks,
  type Network,
  readNetwork,
} from '../../network/store/index.ts';
import { type ContainerRecord, readRecord } from '../record.ts';
import { listContainers } from '../records.ts';
import type { NetworkDetails, NetworkMember } from './network-details.ts';
import { fitsNetwork, type NetworkFilters } from './network-filter.ts';

/** By name, id, or the beginning of its id. @throws {TsboxError} NO_NETWORK, AMBIGUOUS_ID, NETWORK_DAMAGED */
export function inspectNetwork(nameOrId: string): NetworkDetails {
  const builtin = BUILTIN.find(
    ({ name, id }) => name === nameOrId || (nameOrId.length > 11 && id.startsWith(nameOrId)),
  );
  if (builtin !== undefined) return { ...builtin, containers: membersOfMode(builtin) };
  return withMembers(findNetwork(nameOrId));
}

/** All of them, in the order of their names. */
export function allDetails(): NetworkDetails[] {
  const networks = [
    ...listNetworks().map(withMembers),
    ...BUILTIN.map((network) => ({ ...network, containers: membersOfMode(network) })),
  ];
  return networks.sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** Those that are so. */
export function listNetworkDetails(filters: NetworkFilters = {}): NetworkDetails[] {
  return allDetails().filter((network) => fitsNetwork(network, filters));
}

/** Of a network that is there; otherwise empty. */
export function networkId(name: string): string {
  try {
    return (BUILTIN.find((network) => network.name === name) ?? readNetwork(name))?.id ?? '';
  } catch {
    return '';
  }
}

/** It is nothing of its own here, but programs want an id for it. */
export function endpointId(containerId: string, networkId: string): string {
  return hash(`endpoint ${containerId} ${networkId}`);
}

function withMembers(network: Network): NetworkDetails {
  const ids = new Set(leasedAddresses(network.name).map(({ id }) => id));
  const containers = [...ids].flatMap((id) => memberOf(network, readRecord(id)) ?? []);
  return { ...network, containers: containers.sort((one, other) => (one.name < other.name ? -1 : 1)) };
}

/** Undefined where it is just coming or going. */
function memberOf(network: Network, record: ContainerRecord | undefined): NetworkMember | undefined {
  const lease = record?.network?.leases.find(({ networkId }) => networkId === network.id);
  if (record === undefined || lease === undefined) return undefined;
  const { addresses, mac, aliases } = lease;
  return {
    id: record.id,
    name: record.name,
    addresses,
    mac,
    aliases,
    endpoint: endpointId(record.id, network.id),
  };
}

function membersOfMode(network: { name: string; id: string }): NetworkMember[] {
  return listContainers()
    .filter(({ status, network: own, options }) => {
      const mode = own?.mode ?? options?.network ?? 'none';
      return (status === 'running' || status === 'paused') && mode === network.name;
    })
    .map(({ id, name }) => ({
      id,
      name,
      addresses: [],
      mac: '',
      aliases: [],
      endpoint: endpointId(id, network.id),
    }));
}

function builtin(name: string, driver: 'host' | 'null'): Omit<NetworkDetails, 'containers'> {
  return {
    name,
    id: hash(`network ${name}`),
    driver,
    interface: '',
    subnets: [],
    internal: false,
    ipv6: false,
    options: {},
    labels: {},
    created: '0001-01-01T00:00:00Z',
  };
}

function hash(text: string): string {
  return createHash('sha256').update(`tsbox ${text}`).digest('hex');
}

const BUILTIN = [builtin('host', 'host'), builtin('none', 'null')];
