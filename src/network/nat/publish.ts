import { forgetStaleFlows } from './conntrack.ts';
import { ensureForwarding, setRouteLocalnet } from './forwarding.ts';
import { type Command, chain } from './json.ts';
import { withTableLock } from './lock.ts';
import { askNetfilter } from './nfnetlink.ts';
import { commit } from './nft.ts';
import type { BoundPort } from './port.ts';
import { chainOf, type Publication, publicationCommands, selfChainOf } from './publication.ts';
import { elementCommands } from './published-element.ts';
import { chainUses, readPublished } from './read-table.ts';

/**
 * Leads ports of the host to a container. The table is there: {@link ensureTable} has been called. Called again for a container, what it says now counts.
 *
 * @param id the container's
 * @param ports as {@link reservePorts} gave them; the sockets are held for as long as they lead there
 * @param addresses the container's, one of each family that it has; with or without a prefix length
 * @param bridge its interface on the host
 * @param say is told, in a line each, what was changed for the whole host
 * @throws {TsboxError} NO_NFT, NFT_FAILED, LOCK_TIMEOUT, NO_FORWARDING; then none leads there
 */
export function publish(
  id: string,
  ports: readonly BoundPort[],
  addresses: readonly string[],
  bridge: string,
  say?: (line: string) => void,
): void {
  if (ports.length === 0) return;
  // The rules that keep containers from the host's 127.0.0.1 (`raw`) are there already.
  if (needsRouteLocalnet(ports)) setRouteLocalnet(bridge);
  ensureForwarding([neededForwarding(ports, addresses)], say);
  withTableLock(() => commit(missingPublication({ id, ports, addresses }), 'publish ports'));
  forgetStaleFlows(ports, addresses);
}

/** Whether one of them is reached at 127.0.0.1. */
export function needsRouteLocalnet(ports: readonly BoundPort[]): boolean {
  return ports.some(({ hostAddress }) => hostAddress === '0.0.0.0' || hostAddress.startsWith('127.'));
}

export function neededForwarding(ports: readonly BoundPort[], addresses: readonly string[]) {
  return { internal: false, ipv6: hasIpv6(ports, addresses) };
}

/** What nft is to do. */
export function missingPublication(publication: Publication): Command[] {
  return publicationCommands([publication], askNetfilter(readPublished) ?? []);
}

/** Whether one of them is reached by IPv6. */
function hasIpv6(ports: readonly BoundPort[], addresses: readonly string[]): boolean {
  const isIpv6 = (address: string) => address.includes(':');
  return addresses.some(isIpv6) && ports.some(({ hostAddress }) => isIpv6(hostAddress));
}

/**
 * Removes the rules of containers, all at once. Where none of them has any this costs a system call for each, and no process.
 *
 * @returns whether there was something to remove
 * @throws {TsboxError} NO_NFT, NFT_FAILED, LOCK_TIMEOUT
 */
export function unpublish(ids: readonly string[]): boolean {
  if (published(ids).length === 0) return false;
  return withTableLock(() => {
    // Asked again: another tsbox may have swept them meanwhile.
    const chains = published(ids).flatMap((id) => [chainOf(id), selfChainOf(id)]);
    if (chains.length === 0) return false;
    const elements = (askNetfilter(readPublished) ?? []).filter((element) => chains.includes(element.chain));
    const commands: Command[] = [
      ...elementCommands('delete', elements),
      ...chains.flatMap((name): Command[] => [{ flush: chain(name) }, { delete: chain(name) }]),
    ];
    commit(commands, 'remove published ports');
    return true;
  });
}

/** Those of the containers that have rules. */
function published(ids: readonly string[]): string[] {
  return askNetfilter((socket) => ids.filter((id) => chainUses(socket, chainOf(id)) !== undefined)) ?? [];
}
