import { findImage } from '../../image/index.ts';
import { NetlinkSocket } from '../../kernel/netlink/index.ts';
import { attachOver } from '../../network/link/attach.ts';
import { chooseMac, ensureBridgeOver } from '../../network/link/bridge.ts';
import { describeRequest } from '../../network/link/describe.ts';
import { reasonFor } from '../../network/link/reasons.ts';
import { Recorder } from '../../network/link/recorder.ts';
import { newDefaultNetwork } from '../../network/store/create.ts';
import { likelyLease } from '../../network/store/lease.ts';
import { DEFAULT_NETWORK, type Network } from '../../network/store/network.ts';
import { findMade, readNetwork } from '../../network/store/store.ts';
import { networkKind } from '../options/index.ts';
import type { RunOptions } from '../run-options.ts';
import { askedNetwork } from './asked.ts';
import { attachments } from './attachments.ts';
import { explainRules, type Publishing } from './explain-rules.ts';
import type { LinkMessages, NetworkWork } from './network-work.ts';
import type { Connection, Endpoint } from './recorded.ts';

/**
 * What `openNetwork` and `begin` would do in the kernel for such a container: the same code does it, and what it would change is written down instead. Nothing is
 * made, taken or locked. What only chance decides has a name in angle brackets.
 *
 * @returns undefined for a container that has no network of tsbox's
 * @throws {TsboxError} as a start does
 */
export function explainNetwork(image: string, options: RunOptions = {}): NetworkWork | undefined {
  if (networkKind(options) !== 'networks') return undefined;
  try {
    return explainConnected(image, options);
  } catch (error) {
    // Their directory is root's alone. The rest of the plan can be seen by anybody.
    if ((error as NodeJS.ErrnoException).code !== 'EACCES' || process.geteuid?.() === 0) throw error;
    return { notes: ['only root may see the networks of this store, and so what would be done'], parts: [] };
  }
}

function explainConnected(image: string, options: RunOptions): NetworkWork {
  const { endpoints, published = [] } = askedNetwork(options, findImage(image).config.ExposedPorts);
  const byChance = new ByChance();
  const notes: string[] = [];
  const networks = endpoints.map(({ network }) => networkAsItWillBe(network, byChance, notes));
  const leases = networks.map((network, at) =>
    leaseAsItWillBe(network, endpoints[at] as Endpoint, at, notes),
  );
  const rules = explainRules(networks, leases, published, notes);
  const links = explainLinks(networks, leases, rules.publishing, byChance);
  if (process.geteuid?.() !== 0)
    notes.push('only root may see which rules are there already: they are shown as if there were none');
  return byChance.mark({ notes, parts: [...rules.before, ...links, ...rules.after] });
}

function networkAsItWillBe(reference: string, byChance: ByChance, notes: string[]): Network {
  if (reference !== DEFAULT_NETWORK || readNetwork(reference) !== undefined) return findMade(reference);
  const network = newDefaultNetwork();
  byChance.is(network.id, '<id of the network>');
  // The first of them: fd and 56 bits by chance, RFC 4193.
  for (const { subnet } of network.subnets)
    if (subnet.includes(':')) byChance.is(subnet.replace(/::.*/, ''), '<fd…>');
  const { subnets } = network;
  notes.push(`network ${reference} is made first: ${subnets.map(({ subnet }) => subnet).join(', ')}`);
  return network;
}

function leaseAsItWillBe(network: Network, asked: Endpoint, at: number, notes: string[]): Connection {
  const lease = { ...likelyLease(network, asked), interface: `eth${at}` };
  const likely = lease.addresses
    .map((address) => address.replace(/\/.*/, ''))
    .filter((address) => address !== asked.ip && address !== asked.ip6);
  if (likely.length > 0)
    notes.push(`${likely.join(' and ')}: what is free next in network ${network.name}; taken at the start`);
  return lease;
}

function explainLinks(
  networks: readonly Network[],
  leases: readonly Connection[],
  { publishing }: Publishing,
  byChance: ByChance,
): LinkMessages[] {
  const socket = NetlinkSocket.open();
  try {
    const host = new Recorder(socket);
    const inside = new Recorder();
    const wanted = attachments(networks, leases, publishing, (bridge) => {
      const mac = byChance.is(chooseMac(), '<by chance>');
      ensureBridgeOver(host, { ...bridge, mac });
    });
    for (const { hostInterface } of wanted)
      if (hostInterface !== undefined) byChance.is(hostInterface, 'veth<8 digits>');
    attachOver({ host, inside, namespace: NOT_YET }, wanted);
    return [...messages(host, 'host'), ...messages(inside, 'container')];
  } finally {
    socket.close();
  }
}

function messages(recorder: Recorder, namespace: LinkMessages['namespace']): LinkMessages[] {
  return recorder.batches.map(({ what, requests }) => ({
    by: 'netlink',
    what,
    namespace,
    messages: requests.map((request) => {
      const described = describeRequest(request, (index) => recorder.nameOf(index));
      return { ...described, why: reasonFor(described, namespace === 'container') };
    }),
  }));
}

/** What is another one at each start. */
class ByChance {
  readonly #names = new Map<string, string>();

  /** @returns the value, to be used in the meantime */
  is(value: string, name: string): string {
    this.#names.set(value, name);
    return value;
  }

  /** A copy with names in the place of such values. */
  mark<Value>(value: Value): Value {
    let text = JSON.stringify(value);
    for (const [one, name] of this.#names) text = text.replaceAll(one, name);
    return JSON.parse(text);
  }
}

/** The descriptor of a namespace that is not there. */
const NOT_YET = 0;
