import { closeDescriptor, TsboxError } from '../../kernel/index.ts';
import { attachInterfaces } from '../../network/link/index.ts';
import {
  DEFAULT_NETWORK,
  findNetwork,
  type LeaseRequest,
  type Network,
  release,
} from '../../network/store/index.ts';
import { findContainer } from '../find-container.ts';
import { badOption } from '../options/index.ts';
import { checkRequest } from '../options/network.ts';
import { type ContainerRecord, readRecord } from '../record.ts';
import { requireRoot } from '../require-host.ts';
import { updateRecord } from '../update-record.ts';
import { attachment } from './attachments.ts';
import { checkMode, runs, without } from './connected-record.ts';
import { openNetworkOf } from './join.ts';
import { rewriteHosts } from './names.ts';
import { takeAddresses } from './open.ts';
import type { Connection, Endpoint, RecordedNetwork } from './recorded.ts';
import { ensureRules } from './rules.ts';

/**
 * Takes a container into one more network: at once where it runs, and whenever it starts.
 *
 * @param asked what it wants there; what is left out is chosen
 * @throws {TsboxError} NO_CONTAINER, NO_NETWORK, ALREADY_CONNECTED, SUBNET_FULL, ADDRESS_IN_USE, BAD_ADDRESS, BAD_OPTION
 */
export async function connectNetwork(
  container: string,
  nameOrId: string,
  asked: LeaseRequest = {},
): Promise<void> {
  requireRoot();
  const record = findContainer(container);
  checkMode(record);
  const network = findNetwork(nameOrId);
  const endpoint: Endpoint = { network: network.name, ...checkRequest(asked) };
  checkDefault(endpoint);
  if (!runs(record)) {
    if (addEndpoint(record.id, endpoint, undefined) === undefined) throw ended(record);
    return;
  }
  const lease = takeAddresses(network, record.id, endpoint, 0);
  const giveBack = () => release(network.name, record.id, lease.addresses);
  let after: RecordedNetwork | undefined;
  try {
    after = addEndpoint(record.id, endpoint, lease);
    if (after === undefined) throw ended(record);
  } catch (error) {
    giveBack();
    throw error;
  }
  try {
    attachNow(record, network, after);
  } catch (error) {
    giveBack();
    updateRecord(record.id, (now) => without(now, network.name));
    throw error;
  }
  // Its end may have come just now, and have been recorded by somebody who knew nothing of this.
  if (!readRecord(record.id)?.network?.leases.some((each) => each.network === network.name)) giveBack();
  rewriteHosts(record.id, [lease]);
}

function attachNow(record: ContainerRecord, network: Network, { leases }: RecordedNetwork): void {
  const lease = leases.find((each) => each.network === network.name) as Connection;
  // Only families that have no way out yet get one.
  const routed = new Set(
    leases
      .filter((each) => each !== lease)
      .flatMap((each) => each.gateways.map((gateway) => gateway.includes(':'))),
  );
  const gateways = lease.gateways.filter((gateway) => !routed.has(gateway.includes(':')));
  ensureRules([network]);
  const namespace = openNetworkOf(record);
  try {
    attachInterfaces(namespace, [attachment(network, lease, gateways)]);
  } finally {
    closeDescriptor(namespace);
  }
}

/**
 * Under the state lock, so that of two that do so each gets an interface of its own.
 *
 * @returns undefined where the container has ended meanwhile, or is gone
 * @throws {TsboxError} ALREADY_CONNECTED
 */
function addEndpoint(
  id: string,
  endpoint: Endpoint,
  lease: Connection | undefined,
): RecordedNetwork | undefined {
  let added = false;
  const after = updateRecord(id, (now) => {
    if (runs(now) !== (lease !== undefined)) return undefined;
    const before = now.network as RecordedNetwork;
    if (before.endpoints.some(({ network }) => network === endpoint.network))
      throw new TsboxError(
        'ALREADY_CONNECTED',
        `container ${now.name} is in network ${endpoint.network} already`,
      );
    added = true;
    const leases =
      lease === undefined
        ? before.leases
        : [...before.leases, { ...lease, interface: freeInterface(before) }];
    return { ...now, network: { ...before, endpoints: [...before.endpoints, endpoint], leases } };
  });
  return added ? after?.network : undefined;
}

function freeInterface({ leases }: RecordedNetwork): string {
  for (let number = 0; ; number++)
    if (!leases.some((lease) => lease.interface === `eth${number}`)) return `eth${number}`;
}

function checkDefault({ network, ip, ip6, aliases }: Endpoint): void {
  if (network !== DEFAULT_NETWORK) return;
  if (ip ?? ip6)
    throw badOption(
      ip === undefined ? '--ip6' : '--ip',
      ip ?? ip6,
      'an address can be chosen in networks of your own only (tsbox network create)',
    );
  if (aliases?.length)
    throw badOption(
      '--alias',
      aliases[0],
      'there are names in networks of your own only (tsbox network create)',
    );
}

function ended({ name }: ContainerRecord): TsboxError {
  return new TsboxError(
    'CONTAINER_BUSY',
    `container ${name} has just been started or ended by somebody else`,
    {
      advice: 'try again',
    },
  );
}
