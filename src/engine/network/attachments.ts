import { randomHex } from '../../kernel/index.ts';
import { type Attachment, type Bridge, ensureBridge, uplinkMtu } from '../../network/link/index.ts';
import { bridgesFilter } from '../../network/nat/index.ts';
import { type Network, networkSettings } from '../../network/store/index.ts';
import type { Connection } from './recorded.ts';

/**
 * What the kernel is to be told of a container's interfaces. The bridges are made where they are not there.
 *
 * @param publishing the network through which its ports are published
 * @param ensure makes a bridge where it is not there
 */
export function attachments(
  networks: readonly Network[],
  leases: readonly Connection[],
  publishing?: string,
  ensure: (bridge: Bridge) => void = ensureBridge,
): Attachment[] {
  const routed = new Set<boolean>();
  return leases.map((lease, at) => {
    // Only one network has the default routes: of each family the first that has a way out.
    const gateways = lease.gateways.filter((gateway) => !routed.has(gateway.includes(':')));
    for (const gateway of gateways) routed.add(gateway.includes(':'));
    const hairpin = lease.network === publishing && bridgesFilter();
    return { ...attachment(networks[at] as Network, lease, gateways, ensure), ...(hairpin && { hairpin }) };
  });
}

export function attachment(
  network: Network,
  lease: Connection,
  gateways: string[],
  ensure: (bridge: Bridge) => void = ensureBridge,
): Attachment {
  const { mtu = uplinkMtu(), mode, communication } = networkSettings(network);
  ensureNetwork(network, mtu, ensure);
  return {
    driver: network.driver,
    parent: network.interface,
    ...(mode !== undefined && { mode }),
    interface: lease.interface,
    mac: lease.mac,
    mtu,
    addresses: lease.addresses,
    gateways,
    // A name of its own each time: the kernel removes that of a container that has just ended a little later.
    ...(network.driver === 'bridge' && !communication && { isolated: true }),
    ...(network.driver === 'bridge' && { hostInterface: `veth${randomHex(8)}` }),
  };
}

/** Makes a network's bridge and rules where they are not there: it is the first container's turn, or they did not outlive a boot. */
function ensureNetwork(network: Network, mtu: number, ensure: (bridge: Bridge) => void): void {
  if (network.driver !== 'bridge') return;
  const addresses = network.subnets.flatMap(({ subnet, gateway }) =>
    gateway === undefined ? [] : `${gateway}${subnet.slice(subnet.indexOf('/'))}`,
  );
  ensure({ name: network.interface, alias: `tsbox:${network.id}`, mtu, addresses });
}
