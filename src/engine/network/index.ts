/**
 * What ties containers to networks: from what was asked for to addresses that are taken (`openNetwork`), to interfaces in a container that makes itself
 * (`OpenNetwork.begin`), to giving everything back (`releaseNetwork`); and the names by which containers find each other. docs/networking.md draws it.
 */
export { askedNetwork } from './asked.ts';
export { disconnected, mayBeConnected } from './disconnected.ts';
export { rewriteHosts } from './names.ts';
export type { NetworkStart } from './network-start.ts';
export { type OpenNetwork, openNetwork } from './open.ts';
export type { Connection, Endpoint, RecordedNetwork } from './recorded.ts';
export { releaseNetwork } from './release.ts';
export { repairRules } from './rules.ts';
