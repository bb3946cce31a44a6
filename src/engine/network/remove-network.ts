import { TsboxError } from '../../kernel/index.ts';
import { removeBridge } from '../../network/link/index.ts';
import { removeNetworkRules } from '../../network/nat/index.ts';
import { type Network, removeDamaged, removeNetwork as removeFromStore } from '../../network/store/index.ts';
import { readRecord } from '../record.ts';
import { listContainers } from '../records.ts';
import { sweep } from '../sweep.ts';
import { allDetails } from './details.ts';
import { fitsNetwork, isBuiltin, isUsed, type NetworkFilters } from './network-filter.ts';

/**
 * Removes a network that no container is in, with its bridge and its rules.
 *
 * @returns undefined where there is none of that name, and `force` is set
 * @throws {TsboxError} NO_NETWORK, AMBIGUOUS_ID, NETWORK_IN_USE, BAD_OPTION for bridge, host and none
 */
export function removeNetwork(nameOrId: string, options: { force?: boolean } = {}): Network | undefined {
  if (isBuiltin({ name: nameOrId }))
    throw new TsboxError('BAD_OPTION', `${nameOrId} is a pre-defined network and cannot be removed`);
  try {
    // What a container that was killed has left must not stand in the way.
    sweep();
    return removeFromStore(nameOrId, { first: removeFromKernel, nameOf });
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (options.force && code === 'NO_NETWORK') return undefined;
    if (options.force && code === 'NETWORK_DAMAGED') return removeDamaged(nameOrId) as undefined;
    throw error;
  }
}

/**
 * Removes the networks that no container is in or wants to be in when it starts.
 *
 * @returns their names
 */
export function pruneNetworks(filters: NetworkFilters = {}): Network[] {
  const records = listContainers();
  const removed: Network[] = [];
  for (const network of allDetails()) {
    if (isBuiltin(network) || isUsed(network, records) || !fitsNetwork(network, filters)) continue;
    try {
      const gone = removeNetwork(network.name, { force: true });
      if (gone !== undefined) removed.push(gone);
    } catch (error) {
      // Somebody has come meanwhile.
      if ((error as { code?: unknown }).code !== 'NETWORK_IN_USE') throw error;
    }
  }
  return removed;
}

function removeFromKernel(network: Network): void {
  if (network.driver !== 'bridge') return;
  removeNetworkRules([network.interface]);
  removeBridge(network.interface, `tsbox:${network.id}`);
}

function nameOf(id: string): string {
  return readRecord(id)?.name ?? id.slice(0, 12);
}
