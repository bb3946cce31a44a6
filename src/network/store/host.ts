import { existsSync } from 'node:fs';

import { hostSubnets, isOurs } from '../link/index.ts';

/** What must be known of the host to choose subnets. A test gives answers of its own. */
export interface HostNetworks {
  /** What it has addresses in or routes to, both families: `10.1.0.0/16`. */
  subnets(): string[];
  hasIpv6(): boolean;
  /** Whether an interface of that name is there that is a network's of another store. */
  isTaken(name: string): boolean;
}

/** This machine, as seen from the network namespace of this thread. */
export const thisHost: HostNetworks = {
  subnets: hostSubnets,
  // Not there with ipv6.disable=1 on the kernel's command line.
  hasIpv6: () => existsSync('/proc/thread-self/net/if_inet6'),
  isTaken: isOurs,
};
