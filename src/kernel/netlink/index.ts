/**
 * Netlink, the kernel's interface to links, addresses and routes (netlink(7), rtnetlink(7)): messages as bytes, a socket that asks and checks every
 * answer, and the namespaces in which sockets are opened. What a bridge is for is known above, in src/network.
 */
export * from './attributes.ts';
export * from './constants.ts';
export {
  decodeMessages,
  decodeVerdict,
  encodeRequest,
  type Reply,
  type Request,
  type Verdict,
} from './message.ts';
export { inNetworkNamespace, openNetworkNamespace } from './namespace.ts';
export { NetlinkSocket } from './socket.ts';
