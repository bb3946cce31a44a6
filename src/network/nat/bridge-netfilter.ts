import { existsSync } from 'node:fs';

/**
 * Whether bridges may hand their packets to the rules themselves (the module br_netfilter). Then packets from a container to a port of its own are turned round inside
 * the bridge, which sends nothing back to where it came from unless that port of it is in hairpin mode.
 */
export function bridgesFilter(): boolean {
  return existsSync('/proc/sys/net/bridge/bridge-nf-call-iptables');
}
