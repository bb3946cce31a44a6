import { Errno } from '../../kernel/index.ts';
import {
  AF_INET,
  AF_INET6,
  decodeAttributes,
  IFA,
  NetlinkSocket,
  numberOf,
  type Reply,
  RT_TABLE_LOCAL,
  RTA,
  RTAX_MTU,
  RTN_UNICAST,
} from '../../kernel/netlink/index.ts';
import { type Address, formatPrefix, parseAddress, prefixOf } from '../address/index.ts';
import { linkByIndex } from './find-link.ts';
import { addressOf, bytesOf, routeHeader } from './requests.ts';

/** The MTU on the way out of this machine: that of its default route, IPv4's before IPv6's; 1500 where there is none. @throws {KernelError} */
export function uplinkMtu(): number {
  const socket = NetlinkSocket.open();
  try {
    return mtuTowards(socket, AF_INET) ?? mtuTowards(socket, AF_INET6) ?? 1500;
  } finally {
    socket.close();
  }
}

/**
 * What this machine has addresses in or routes to, both families: `10.1.0.0/16`. Without the ways to everywhere, also those in parts (0.0.0.0/1 and 128.0.0.0/1, as
 * VPNs make them), and without link-local addresses.
 *
 * @throws {KernelError}
 */
export function hostSubnets(): string[] {
  const socket = NetlinkSocket.open();
  try {
    const doing = 'look for the subnets of this machine';
    const addresses = socket.dump({ type: 'RTM_GETADDR', header: new Uint8Array(8) }, doing);
    const routes = [AF_INET, AF_INET6].flatMap((family) =>
      socket.dump({ type: 'RTM_GETROUTE', header: routeHeader(family, 0), allow: NO_FAMILY }, doing),
    );
    const subnets = [...addresses.flatMap(subnetOfAddress), ...routes.flatMap(subnetOfRoute)];
    return [...new Set(subnets)];
  } finally {
    socket.close();
  }
}

function mtuTowards(socket: NetlinkSocket, family: number): number | undefined {
  // To an address of nobody's (RFC 5737, RFC 3849), for which no route is made on purpose: one question, however many routes there are.
  const somewhere = bytesOf(parseAddress(family === AF_INET ? '198.51.100.1' : '2001:db8::1') as Address);
  const route = socket.get(
    {
      type: 'RTM_GETROUTE',
      header: routeHeader(family, somewhere.length * 8),
      attributes: [[RTA.RTA_DST, somewhere]],
      allow: [...NO_FAMILY, Errno.ENETUNREACH, Errno.EHOSTUNREACH, Errno.EINVAL, Errno.EACCES],
    },
    'look for the default route',
  );
  if (route === undefined) return undefined;
  const attributes = decodeAttributes(route.payload, ROUTE_HEADER);
  const metrics = attributes.get(RTA.RTA_METRICS);
  const ofRoute = metrics && numberOf(decodeAttributes(metrics).get(RTAX_MTU));
  const index = numberOf(attributes.get(RTA.RTA_OIF));
  // `unreachable` and `blackhole` routes of IPv6 lead to lo.
  if (index === undefined || index === 1) return undefined;
  return ofRoute || linkByIndex(socket, index)?.mtu || undefined;
}

/** struct ifaddrmsg: family 1, prefix length 1, flags 1, scope 1, index 4. */
function subnetOfAddress({ payload }: Reply): string[] {
  const attributes = decodeAttributes(payload, 8);
  // Of a point-to-point link IFA_ADDRESS is the other side's. Both are taken.
  const both = [attributes.get(IFA.IFA_LOCAL), attributes.get(IFA.IFA_ADDRESS)];
  return both.flatMap((bytes) => (bytes === undefined ? [] : subnetOf(bytes, payload[1] ?? 0)));
}

/** struct rtmsg: family 1, prefix lengths 1 and 1, tos 1, table 1, protocol 1, scope 1, type 1, flags 4. */
function subnetOfRoute({ payload }: Reply): string[] {
  const destination = decodeAttributes(payload, ROUTE_HEADER).get(RTA.RTA_DST);
  if (destination === undefined || payload[4] === RT_TABLE_LOCAL || payload[7] !== RTN_UNICAST) return [];
  return subnetOf(destination, payload[1] ?? 0);
}

function subnetOf(bytes: Uint8Array, length: number): string[] {
  if (length < (bytes.length === 4 ? 8 : 7)) return [];
  const subnet = formatPrefix(prefixOf(addressOf(bytes), length));
  return LEFT_OUT.test(subnet) ? [] : [subnet];
}

/** Loopback, link-local, multicast. */
const LEFT_OUT = /^(127\.|169\.254\.|2(2[4-9]|3\d)\.|::1\/|fe[89ab]|ff)/;
/** IPv6 may be off. */
const NO_FAMILY = [Errno.EOPNOTSUPP, Errno.EAFNOSUPPORT];
const ROUTE_HEADER = 12;
