import { defaultNetwork } from './create.ts';
import { type HostNetworks, thisHost } from './host.ts';
import { DEFAULT_NETWORK, type Network } from './network.ts';
import { allNetworks, findMade } from './store.ts';

/**
 * The network of that name, id, or beginning of its id. `bridge` is made if it is not there.
 *
 * @throws {TsboxError} NO_NETWORK, AMBIGUOUS_ID, NETWORK_DAMAGED
 */
export function findNetwork(nameOrId: string, host: HostNetworks = thisHost): Network {
  return nameOrId === DEFAULT_NETWORK ? defaultNetwork(host) : findMade(nameOrId);
}

/** Who only looks need not be able to write. */
function madeNow(host: HostNetworks): Network[] {
  try {
    return [defaultNetwork(host)];
  } catch (error) {
    if (['EROFS', 'ENOSPC', 'EDQUOT'].includes((error as { code?: string }).code ?? '')) return [];
    throw error;
  }
}

/** All that are on disk, and `bridge`, in the order of their names. */
export function listNetworks(host: HostNetworks = thisHost): Network[] {
  const networks = allNetworks();
  if (networks.some(({ name }) => name === DEFAULT_NETWORK)) return networks;
  return [...madeNow(host), ...networks].sort((one, other) => (one.name < other.name ? -1 : 1));
}
