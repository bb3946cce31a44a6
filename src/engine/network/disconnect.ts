import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { closeDescriptor, TsboxError } from '../../kernel/index.ts';
import { addDefaultRoutes, detachInterface } from '../../network/link/index.ts';
import { unpublish } from '../../network/nat/index.ts';
import { findNetwork, type Network, release, staleLeases } from '../../network/store/index.ts';
import { findContainer } from '../find-container.ts';
import { containersDirectory } from '../paths.ts';
import type { ContainerRecord } from '../record.ts';
import { requireRoot } from '../require-host.ts';
import { updateRecord } from '../update-record.ts';
import { checkMode, runs, without } from './connected-record.ts';
import { openNetworkOf } from './join.ts';
import { rewriteHosts } from './names.ts';
import type { Connection, RecordedNetwork } from './recorded.ts';

/**
 * Takes a container out of a network. Where its way out was through that one, it is through the next from then on; ports that were published through it are not any more,
 * until the container starts again.
 *
 * @param options.force also where the container is gone: then what is left of it is cleared
 * @throws {TsboxError} NO_CONTAINER, NO_NETWORK, NOT_CONNECTED, BAD_OPTION
 */
export async function disconnectNetwork(
  container: string,
  nameOrId: string,
  { force = false }: { force?: boolean } = {},
): Promise<void> {
  requireRoot();
  const network = findNetwork(nameOrId);
  let record: ContainerRecord;
  try {
    record = findContainer(container);
  } catch (error) {
    if (!force || (error as { code?: unknown }).code !== 'NO_CONTAINER') throw error;
    staleLeases((id) => existsSync(join(containersDirectory(), id)));
    return;
  }
  checkMode(record);
  const before = removeEndpoint(record, network);
  const lease = before.leases.find((each) => each.network === network.name);
  if (lease === undefined) return;
  try {
    detachNow(record, lease, before);
  } finally {
    release(network.name, record.id, lease.addresses);
    if (before.publishing === network.name) unpublish([record.id]);
    rewriteHosts(record.id, [lease]);
  }
}

/** @returns how it was connected before @throws {TsboxError} NOT_CONNECTED */
function removeEndpoint({ id, name }: ContainerRecord, network: Network): RecordedNetwork {
  let before: RecordedNetwork | undefined;
  updateRecord(id, (now) => {
    if (!now.network?.endpoints.some((endpoint) => endpoint.network === network.name)) return undefined;
    before = now.network;
    const after = without(now, network.name);
    return before.publishing === network.name && after.network
      ? { ...after, network: { ...after.network, ports: [] } }
      : after;
  });
  if (before === undefined)
    throw new TsboxError('NOT_CONNECTED', `container ${name} is not in network ${network.name}`);
  return before;
}

function detachNow(record: ContainerRecord, lease: Connection, { leases }: RecordedNetwork): void {
  if (!runs(record)) return;
  const namespace = openNetworkOf(record);
  try {
    detachInterface(namespace, lease.interface);
    const rest = leases.filter((each) => each !== lease);
    for (const ipv6 of [false, true]) {
      const hadRoute =
        leases.find(({ gateways }) => gateways.some((each) => each.includes(':') === ipv6)) === lease;
      if (!hadRoute) continue;
      const next = rest.find(({ gateways }) => gateways.some((each) => each.includes(':') === ipv6));
      const gateway = next?.gateways.find((each) => each.includes(':') === ipv6);
      if (next && gateway) addDefaultRoutes(namespace, next.interface, [gateway]);
    }
  } finally {
    closeDescriptor(namespace);
  }
}
