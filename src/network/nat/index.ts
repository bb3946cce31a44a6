/**
 * Network address translation, filtering between bridges, and published ports, by nftables: one table of ours, `inet tsbox`, that all networks of a
 * network namespace share, also those of other stores. It is read over netlink and changed by `nft`, always in one transaction. Also the ports of the
 * host itself: how they are asked for, and how they are held. What a container is, is not known here: it is an id.
 */
export { bridgesFilter } from './bridge-netfilter.ts';
export {
  ensureTable,
  type NatNetwork,
  natNetwork,
  type TableOptions,
} from './ensure-table.ts';
export { type Exposed, parseExpose, publishAll } from './expose.ts';
export { type ForwardChain, forwardChains } from './forward-chains.ts';
export { checkRules, findNft } from './nft.ts';
export { parsePublish } from './parse-publish.ts';
export type { BoundPort, Protocol, PublishedPort } from './port.ts';
export { describePorts, outside, portLines, portMap } from './ports-text.ts';
export type { Publication } from './publication.ts';
export { publish, unpublish } from './publish.ts';
export { removeNetworkRules } from './remove-network.ts';
export { type Reservation, type ReserveOptions, reservePorts } from './reserve.ts';
