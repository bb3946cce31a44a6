import type { NetlinkSocket } from '../../kernel/netlink/index.ts';

/** What links are made with: a socket, or what stands in for one where it is only to be said what would be made. */
export type Netlink = Pick<NetlinkSocket, 'batch' | 'get' | 'indexOf' | 'stateOf'>;
