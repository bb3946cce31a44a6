/** The library's part about networks, loaded when it is called. */
export type { NetworkDetails, NetworkMember } from './engine/network/network-details.ts';
export type { NetworkFilters } from './engine/network/network-filter.ts';
export type {
  LinkMessages,
  NetworkPart,
  NetworkWork,
  RuleCommands,
  Settings,
} from './engine/network/network-work.ts';
export { describePorts } from './network/nat/ports-text.ts';
export type { LeaseRequest as ConnectOptions } from './network/store/lease.ts';
export type { Network, Subnet } from './network/store/network.ts';

import { noteEvents } from './engine/events/note.ts';
import type { NetworkDetails } from './engine/network/network-details.ts';
import type { NetworkFilters } from './engine/network/network-filter.ts';
import type { NetworkWork } from './engine/network/network-work.ts';
import type { RunOptions } from './engine/run-options.ts';
import type { CreateNetworkOptions } from './network/store/create.ts';
import type { LeaseRequest } from './network/store/lease.ts';
import type { Network } from './network/store/network.ts';

/** What a network can be asked for besides its name. */
export type NetworkOptions = Omit<CreateNetworkOptions, 'name'>;

/**
 * Makes a network, whose containers reach each other by name and address (`network: 'backend'`), and the outside unless it is `internal`. Its bridge is made when the
 * first container needs it.
 *
 * @param name 1 to 128 letters, digits, `_`, `.` and `-`; not bridge, host, none, default or container
 * @throws {TsboxError} BAD_OPTION, BAD_SUBNET, SUBNET_OVERLAP, NO_SUBNET_LEFT, NO_IPV6, NETWORK_EXISTS, INTERFACE_IN_USE
 */
export async function createNetwork(name: string, options: NetworkOptions = {}): Promise<Network> {
  const { createNetwork } = await import('./network/store/index.ts');
  const network = createNetwork({ ...options, name });
  noteNetwork('create', network);
  return network;
}

/** The networks that are so, in the order of their names; `bridge`, `host` and `none` are always there. */
export async function listNetworks(filters: NetworkFilters = {}): Promise<NetworkDetails[]> {
  const { listNetworkDetails } = await import('./engine/network/details.ts');
  return listNetworkDetails(filters);
}

/** By name, id, or the beginning of its id. @throws {TsboxError} NO_NETWORK, AMBIGUOUS_ID, NETWORK_DAMAGED */
export async function inspectNetwork(nameOrId: string): Promise<NetworkDetails> {
  const { inspectNetwork } = await import('./engine/network/details.ts');
  return inspectNetwork(nameOrId);
}

/**
 * Removes a network that no container is in just now, with its bridge and its rules.
 *
 * @param options.force says nothing where there is none of that name
 * @throws {TsboxError} NO_NETWORK, AMBIGUOUS_ID, NETWORK_IN_USE, BAD_OPTION for `bridge`, `host` and `none`
 */
export async function removeNetwork(nameOrId: string, options?: { force?: boolean }): Promise<void> {
  const { removeNetwork } = await import('./engine/network/remove-network.ts');
  const network = removeNetwork(nameOrId, options);
  if (network !== undefined) noteNetwork('destroy', network);
}

/** Removes the networks that no container is in or wants to be in when it starts. */
export async function pruneNetworks(filters?: NetworkFilters): Promise<{ deleted: string[] }> {
  const { pruneNetworks } = await import('./engine/network/remove-network.ts');
  const removed = pruneNetworks(filters);
  for (const network of removed) noteNetwork('destroy', network);
  return { deleted: removed.map(({ name }) => name) };
}

/**
 * Takes a container into one more network: at once where it runs, and whenever it starts.
 *
 * @param options what it wants there; what is left out is chosen
 * @throws {TsboxError} NO_CONTAINER, NO_NETWORK, ALREADY_CONNECTED, SUBNET_FULL, ADDRESS_IN_USE, BAD_ADDRESS, BAD_OPTION
 */
export async function connectNetwork(
  container: string,
  network: string,
  options: LeaseRequest = {},
): Promise<void> {
  const { connectNetwork } = await import('./engine/network/connect.ts');
  await connectNetwork(container, network, options);
  await noteMember('connect', container, network);
}

/**
 * Takes a container out of a network.
 *
 * @param options.force also where the container is gone: then what is left of it there is cleared
 * @throws {TsboxError} NO_CONTAINER, NO_NETWORK, NOT_CONNECTED, BAD_OPTION
 */
export async function disconnectNetwork(
  container: string,
  network: string,
  options: { force?: boolean } = {},
): Promise<void> {
  const { disconnectNetwork } = await import('./engine/network/disconnect.ts');
  await disconnectNetwork(container, network, options);
  await noteMember('disconnect', container, network);
}

/**
 * What `run` would do for the container's network besides the system calls that `explain` gives: messages to the kernel, settings and rules, by tsbox itself while
 * the container makes its mounts. Nothing is made. Undefined for a container without a network of tsbox's.
 *
 * @throws {TsboxError} as `run` does
 */
export async function explainNetwork(image: string, options?: RunOptions): Promise<NetworkWork | undefined> {
  const { explainNetwork } = await import('./engine/network/explain.ts');
  return explainNetwork(image, options);
}

function noteNetwork(action: string, { id, name, driver }: Network): void {
  noteEvents({ type: 'network', action, id, attributes: { name, type: driver } });
}

async function noteMember(action: string, container: string, nameOrId: string): Promise<void> {
  const [{ findContainer }, { findNetwork }] = await Promise.all([
    import('./engine/find-container.ts'),
    import('./network/store/index.ts'),
  ]);
  try {
    const { id, name, driver } = findNetwork(nameOrId);
    const attributes = { container: findContainer(container).id, name, type: driver };
    noteEvents({ type: 'network', action, id, attributes });
  } catch {
    // One of them has been removed meanwhile.
  }
}
