import type { NatNetwork } from '../../../../src/network/nat/index.ts';

/** A network as its rules see it: with a way out by IPv4, unless something else is said. */
export function network(name: string, settings: Partial<NatNetwork> = {}): NatNetwork {
  return {
    interface: name,
    internal: false,
    ipv6: false,
    masquerade: { 4: true, 6: false },
    communication: true,
    ...settings,
  };
}
