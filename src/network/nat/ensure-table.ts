import { DEFAULT_NETWORK, type Network, networkSettings } from '../store/index.ts';
import { ensureForwarding } from './forwarding.ts';
import { type Command, concat, elements, type Json } from './json.ts';
import { withTableLock } from './lock.ts';
import { askNetfilter } from './nfnetlink.ts';
import { commit } from './nft.ts';
import { type Publication, publicationCommands } from './publication.ts';
import { isIntact, readInterfaces, readPublished } from './read-table.ts';
import { tableCommands } from './table.ts';

/** What the table needs to know of a network: of a {@link Network}, `natNetwork` says it. */
export interface NatNetwork {
  /** Its bridge. */
  interface: string;
  internal: boolean;
  /** Whether IPv6 goes further than to the host. */
  ipv6: boolean;
  /** Whether the outside sees the host's address. */
  masquerade: { 4: boolean; 6: boolean };
  /** Whether its containers reach each other. */
  communication: boolean;
  /** Whether others reach its containers without published ports (`gateway_mode_ipv…=routed`). */
  routed?: { 4: boolean; 6: boolean };
}

export interface TableOptions {
  /** Is told, in a line each, what was changed for the whole host. */
  say?: (line: string) => void;
  /** Asked where the table has been lost: what else belongs into it now, of containers that run. */
  restore?: () => { networks: readonly NatNetwork[]; publications: readonly Publication[] };
}

/**
 * Sees to it that the table is there and has the networks in it, and that the host forwards packets. Where that is so already it costs a few system calls and no
 * process.
 *
 * @returns `repaired` where rules of ours had been removed, or the table was made
 * @throws {TsboxError} NO_NFT, NFT_FAILED, LOCK_TIMEOUT, NO_FORWARDING
 */
export function ensureTable(
  networks: readonly NatNetwork[],
  options: TableOptions = {},
): 'there' | 'added' | 'repaired' {
  const done = stateOf(networks) === 'there' ? 'there' : withTableLock(() => complete(networks, options));
  ensureForwarding(networks, options.say);
  return done;
}

/** The part of a network on disk that matters here. */
export function natNetwork(network: Network): NatNetwork {
  const { masquerade, communication } = networkSettings(network);
  const { name, internal, options } = network;
  // Nobody asked for the IPv6 of the default network: for its sake alone no host becomes a router. `publish` sees to it where it is used.
  const ipv6 = network.ipv6 && (name !== DEFAULT_NETWORK || masquerade[6]);
  const isRouted = (family: 4 | 6) =>
    options[`com.docker.network.bridge.gateway_mode_ipv${family}`] === 'routed';
  const routed = { 4: isRouted(4), 6: isRouted(6) };
  return { interface: network.interface, internal, ipv6, masquerade, communication, routed };
}

function complete(
  networks: readonly NatNetwork[],
  { restore }: TableOptions,
): 'there' | 'added' | 'repaired' {
  // Another tsbox may have done it while this one waited.
  const { state, commands } = missingRules(networks, { restore });
  if (state === 'there') return 'there';
  commit(commands, 'set up the network');
  return state === 'lacking' ? 'added' : 'repaired';
}

/** What nft is to do so that the table is there and has the networks in it. */
export function missingRules(
  networks: readonly NatNetwork[],
  { restore }: Pick<TableOptions, 'restore'> = {},
): { state: 'there' | 'lacking' | 'broken'; commands: Command[] } {
  const state = stateOf(networks);
  if (state === 'there') return { state, commands: [] };
  if (state === 'lacking') return { state, commands: networks.flatMap(networkCommands) };
  const lost = restore?.() ?? { networks: [], publications: [] };
  const bridges = [...networks, ...lost.networks].flatMap(networkCommands);
  const ports = publicationCommands(lost.publications, askNetfilter(readPublished) ?? []);
  return { state, commands: [...tableCommands(), ...bridges, ...ports] };
}

function stateOf(networks: readonly NatNetwork[]): 'there' | 'lacking' | 'broken' {
  const state = askNetfilter((socket) => {
    if (!isIntact(socket)) return 'broken';
    const there = readInterfaces(socket, 'bridges');
    return networks.every((network) => there.includes(network.interface)) ? 'there' : 'lacking';
  });
  return state ?? 'broken';
}

/** Adding an element that is there already is no error, so nothing is asked before. */
function networkCommands(network: NatNetwork): Command[] {
  const name = network.interface;
  const outside = !network.internal;
  const sets: [set: string, element: Json, whether: boolean][] = [
    ['bridges', name, true],
    ['hairpin', concat(name, name), true],
    ['within', concat(name, name), network.communication],
    ['internal', name, network.internal],
    ['routed4', name, outside && network.routed?.[4] === true],
    ['routed6', name, outside && network.routed?.[6] === true],
    ['masquerade4', name, outside && network.masquerade[4]],
    ['masquerade6', name, outside && network.masquerade[6]],
  ];
  return sets.flatMap(([set, element, whether]) => (whether ? [{ add: elements(set, [element]) }] : []));
}
