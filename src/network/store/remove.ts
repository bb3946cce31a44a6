import { existsSync } from 'node:fs';
import { TsboxError } from '../../kernel/index.ts';
import { leasedAddresses } from './addresses.ts';
import { withNetworkLock } from './lock.ts';
import { DEFAULT_NETWORK, type Network } from './network.ts';
import { networkPaths } from './paths.ts';
import { discardNetwork, findMade, withNetworksLock } from './store.ts';

/**
 * Removes a network that no container is in.
 *
 * @param first called before it is gone from the disk, with its locks held: for what is of it in the kernel. What is killed in between is a network whose bridge
 *   is made anew when somebody needs it.
 * @throws {TsboxError} NO_NETWORK, NETWORK_IN_USE, BAD_OPTION for the default network
 */
export function removeNetwork(
  nameOrId: string,
  options: { first?: (network: Network) => void; nameOf?: (id: string) => string } = {},
): Network {
  return withNetworksLock(() => {
    const network = findMade(nameOrId);
    if (network.name === DEFAULT_NETWORK)
      throw new TsboxError('BAD_OPTION', `${DEFAULT_NETWORK} is a pre-defined network and cannot be removed`);
    withNetworkLock(network, () => {
      const { nameOf = (id: string) => id.slice(0, 12) } = options;
      const users = [...new Set(leasedAddresses(network.name).map(({ id }) => id))].map(nameOf);
      if (users.length > 0)
        throw new TsboxError(
          'NETWORK_IN_USE',
          `network ${network.name} has active endpoints: ${users.slice(0, 10).join(', ')}${users.length > 10 ? ` and ${users.length - 10} more` : ''}`,
          {
            advice: `stop them, or take them out of it: tsbox network disconnect ${network.name} ${users[0]}`,
          },
        );
      options.first?.(network);
      discardNetwork(network.name);
    });
    return network;
  });
}

/** Removes one whose note is damaged, so that nothing can be said of it. */
export function removeDamaged(name: string): void {
  withNetworksLock(() => {
    if (existsSync(networkPaths(name).directory)) discardNetwork(name);
  });
}
