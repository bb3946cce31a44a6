/**
 * Networks as they are on disk, below `networks/`, and who has which of their addresses. It changes nothing in the kernel: bridges are of `../link`, rules of
 * `../nat`. Containers are ids here.
 *
 * A network is a directory: `network.json`, written once; `addresses/`, one symbolic link for each address that is taken, to the id of who has it; `lock`, held for
 * moments by who changes one of these, with the addresses in it that were given last.
 */
export { holderOf, type LeasedAddress, leasedAddresses } from './addresses.ts';
export { type CreateNetworkOptions, createNetwork } from './create.ts';
export { findNetwork, listNetworks } from './find.ts';
export { type HostNetworks, thisHost } from './host.ts';
export { type Holders, type Lease, type LeaseRequest, lease, release, staleLeases } from './lease.ts';
export { withNetworkLock } from './lock.ts';
export { checkNetworkName, isNetworkName, RESERVED } from './name.ts';
export { DEFAULT_NETWORK, type Network, type Subnet } from './network.ts';
export { networkPaths, networksDirectory } from './paths.ts';
export { removeDamaged, removeNetwork } from './remove.ts';
export { type NetworkSettings, networkSettings } from './settings.ts';
export { readNetwork } from './store.ts';
