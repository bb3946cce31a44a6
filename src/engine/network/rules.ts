import { ensureTable, natNetwork, publish } from '../../network/nat/index.ts';
import { findNetwork, type Network } from '../../network/store/index.ts';
import { type ContainerRecord, containerIds, readRecord } from '../record.ts';
import type { RecordedNetwork } from './recorded.ts';

/** Sees to it that packets find their way in networks. Before anything is made, as it fails where there is no nft. */
export function ensureRules(networks: readonly Network[]): void {
  const bridges = networks.filter(({ driver }) => driver === 'bridge');
  if (bridges.length === 0) return;
  ensureTable(bridges.map(natNetwork), {
    say,
    restore: () => publicationsOf(containerIds().map(readRecord)),
  });
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
  const records = containerIds().map(readRecord);
  const { networks, publications } = publicationsOf(records);
  if (networks.length > 0) ensureTable(networks, { say, restore: () => ({ networks, publications }) });
}

/** What belongs into the table for all containers that run. */
function publicationsOf(records: readonly (ContainerRecord | undefined)[]) {
  const connected = records
    .filter((record) => record !== undefined)
    .filter(({ network }) => network?.leases.length);
  const names = new Set(
    connected.flatMap(({ network }) => network?.leases.map((lease) => lease.network) ?? []),
  );
  const networks = [...names].flatMap(networkIfThere).filter(({ driver }) => driver === 'bridge');
  const publications = connected.flatMap(({ id, network }) => {
    const lease = network?.leases.find((each) => each.network === network.publishing);
    return lease === undefined ? [] : { id, ports: network?.ports ?? [], addresses: lease.addresses };
  });
  return { networks: networks.map(natNetwork), publications };
}

function networkIfThere(name: string): Network[] {
  try {
    return [findNetwork(name)];
  } catch {
    return [];
  }
}

/** What was changed for the whole host is said. */
function say(line: string): void {
  process.emitWarning(line);
}
