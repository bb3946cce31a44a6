import { ensureTable, natNetwork, publish } from '../../network/nat/index.ts';
import { type Network, readNetwork } from '../../network/store/index.ts';
import { containerIds, readRecord } from '../record.ts';
import type { RecordedNetwork } from './recorded.ts';

/** Sees to it that packets find their way in networks. Before anything is made, as it fails where there is no nft. */
export function ensureRules(networks: readonly Network[]): void {
  const bridges = bridgesOf(networks);
  if (bridges.length === 0) return;
  ensureTable(bridges.map(natNetwork), {
    say,
    restore: publicationsOfAll,
  });
}

/** Those that there are rules for. */
export function bridgesOf(networks: readonly Network[]): Network[] {
  return networks.filter(({ driver }) => driver === 'bridge');
}

/** Leads a container's published ports to it, once it is connected. */
export function publishPorts(id: string, networks: readonly Network[], recorded: RecordedNetwork): void {
  const lease = recorded.leases.find(({ network }) => network === recorded.publishing);
  const network = networks.find(({ name }) => name === recorded.publishing);
  if (lease !== undefined && network !== undefined)
    publish(id, recorded.ports, lease.addresses, network.interface, say);
}

/** `tsbox system start`: puts back what somebody has removed from under containers that run. */
export function repairRules(): void {
  const { networks, publications } = publicationsOfAll();
  if (networks.length > 0) ensureTable(networks, { say, restore: () => ({ networks, publications }) });
}

/** What belongs into the table for all containers that run. */
export function publicationsOfAll() {
  const connected = containerIds()
    .map(readRecord)
    .filter((record) => record !== undefined)
    .filter(({ network }) => network?.leases.length);
  const names = new Set(
    connected.flatMap(({ network }) => network?.leases.map((lease) => lease.network) ?? []),
  );
  const networks = bridgesOf([...names].flatMap(networkIfThere));
  const publications = connected.flatMap(({ id, network }) => {
    const lease = network?.leases.find((each) => each.network === network.publishing);
    return lease === undefined ? [] : { id, ports: network?.ports ?? [], addresses: lease.addresses };
  });
  return { networks: networks.map(natNetwork), publications };
}

function networkIfThere(name: string): Network[] {
  try {
    return [readNetwork(name)].filter((network) => network !== undefined);
  } catch {
    return [];
  }
}

/** What was changed for the whole host is said. */
function say(line: string): void {
  process.emitWarning(line);
}
