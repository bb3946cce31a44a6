import { Errno, KernelError } from '../../kernel/index.ts';
import {
  type Attribute,
  NETLINK_NETFILTER,
  NetlinkSocket,
  type Request,
} from '../../kernel/netlink/index.ts';

/**
 * Asks the kernel's netfilter something, by a socket in this thread's network namespace, nfnetlink in linux/netfilter/nfnetlink.h.
 *
 * @returns undefined where the kernel has no such subsystem, or we may not ask it: then there is nothing of ours in it either
 */
export function askNetfilter<T>(ask: (socket: NetlinkSocket) => T): T | undefined {
  try {
    const socket = NetlinkSocket.open(NETLINK_NETFILTER);
    try {
      return ask(socket);
    } finally {
      socket.close();
    }
  } catch (error) {
    if (error instanceof KernelError && ABSENT.includes(-error.errno)) return undefined;
    throw error;
  }
}

/** A request with netfilter's own header: family, version and resource, struct nfgenmsg. ENOENT, nothing of the name, is an answer. */
export function netfilterRequest(
  type: Request['type'],
  family: number,
  attributes: readonly Attribute[],
): Request {
  return { type, header: Uint8Array.of(family, 0, 0, 0), attributes, allow: [Errno.ENOENT] };
}

/** Where an answer's attributes begin. */
export const NFGENMSG = 4;

/** linux/netfilter.h: the family of tables that see IPv4 and IPv6. */
export const NFPROTO_INET = 1;

/** linux/netfilter/nf_tables.h: which chain. */
export const NFTA_CHAIN_TABLE = 1;
export const NFTA_CHAIN_NAME = 3;

/** Without nf_tables: EINVAL of nfnetlink; without nfnetlink: EPROTONOSUPPORT of socket(2). */
const ABSENT: readonly number[] = [
  Errno.EPERM,
  Errno.EINVAL,
  Errno.EOPNOTSUPP,
  Errno.EPROTONOSUPPORT,
  Errno.EAFNOSUPPORT,
];
