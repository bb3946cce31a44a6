import { writeFileSync } from 'node:fs';
import { Errno, KernelError, randomHex, TsboxError } from '../../kernel/index.ts';
import { IFLA, IFLA_INFO, NetlinkSocket, type Request } from '../../kernel/netlink/index.ts';
import { findLink, type Link } from './find-link.ts';
import { makingLinks } from './kind-missing.ts';
import type { Netlink } from './netlink.ts';
import { addAddress, changeLink, type LinkChange, macBytes, makeLink, removeLink } from './requests.ts';

export interface Bridge {
  /** Of the interface: at most 15 bytes. */
  name: string;
  /** What marks it as ours (IFLA_IFALIAS): `tsbox:<network id>`. */
  alias: string;
  mtu: number;
  /** The host's own in it, with the length of the prefix: `10.87.0.1/16`, `fd00::1/64`. */
  addresses: readonly string[];
  /** Its Ethernet address; default: one by chance. */
  mac?: string;
  /** Packets of the host's from 127.0.0.1 may go out to it: for ports that are published there. */
  routeLocalnet?: boolean;
}

/**
 * Makes the bridge unless it is there. Where it is, that costs one question.
 *
 * @throws {TsboxError} FOREIGN_BRIDGE where an interface of that name is not ours, NO_BRIDGES where the kernel has none, NO_IPV6 where an
 * address of IPv6 is asked for and the kernel has it off; BAD_SUBNET, BAD_INTERFACE; KernelError
 */
export function ensureBridge(bridge: Bridge): 'made' | 'there' {
  const socket = NetlinkSocket.open();
  try {
    return ensureBridgeOver(socket, bridge);
  } finally {
    socket.close();
  }
}

/** The same over a socket that is open, or over one that only writes down what it is told. */
export function ensureBridgeOver(socket: Netlink, bridge: Bridge): 'made' | 'there' {
  const link = findLink(socket, bridge.name);
  if (link === undefined) return make(socket, bridge);
  checkOurs(socket, link, bridge);
  if (!link.up) configure(socket, bridge, [changeLink(named(bridge, { up: true }))]);
  return 'there';
}

/** Removes a bridge that is ours; one that is gone, and somebody else's of that name, are left alone. @throws {KernelError} */
export function removeBridge(name: string, alias: string): void {
  const socket = NetlinkSocket.open();
  try {
    const link = findLink(socket, name);
    if (link?.kind !== 'bridge' || link.alias !== alias) return;
    socket.batch([removeLink(name, [Errno.ENODEV])], `remove the bridge ${name}`);
  } finally {
    socket.close();
  }
}

function make(socket: Netlink, bridge: Bridge): 'made' | 'there' {
  // One of its own, else the bridge has the lowest of its ports', another one whenever a container comes or goes. 02: given out by nobody (IEEE 802).
  const mac = bridge.mac ?? chooseMac();
  const creation = makeLink(
    named(bridge, {
      attributes: [
        [IFLA.IFLA_ADDRESS, macBytes(mac)],
        [IFLA.IFLA_LINKINFO, [[IFLA_INFO.IFLA_INFO_KIND, 'bridge']]],
      ],
    }),
  );
  // The kernel takes neither an alias nor an MTU that lasts with the creation.
  const change = changeLink(
    named(bridge, {
      up: true,
      attributes: [
        [IFLA.IFLA_IFALIAS, Buffer.from(bridge.alias)],
        [IFLA.IFLA_MTU, bridge.mtu],
      ],
    }),
  );
  try {
    // In one send, which no signal cuts in two: a bridge without our mark would be nobody's, for ever.
    makingLinks('bridge', () => socket.batch([creation, change], `make the bridge ${bridge.name}`));
    configure(socket, bridge, []);
    return 'made';
  } catch (error) {
    const link = findLink(socket, bridge.name);
    if (link?.mac === mac) socket.batch([removeLink(bridge.name, [Errno.ENODEV])], `remove ${bridge.name}`);
    if (!(error instanceof KernelError) || error.errno !== -Errno.EEXIST) throw error;
    // Another command was quicker.
    checkOurs(socket, link, bridge);
    return 'there';
  }
}

/** Addresses go away with the link's being down, those of IPv6 at least. */
function configure(socket: Netlink, bridge: Bridge, before: readonly Request[]): void {
  const index = findLink(socket, bridge.name)?.index ?? 0;
  const addresses = bridge.addresses.map((address) => addAddress(index, address));
  try {
    socket.batch([...before, ...addresses], `set up the bridge ${bridge.name}`);
  } catch (error) {
    throw withoutIpv6(error, bridge.addresses);
  }
  if (bridge.routeLocalnet) writeFileSync(`/proc/sys/net/ipv4/conf/${bridge.name}/route_localnet`, '1');
}

function named(bridge: Bridge, change: LinkChange): LinkChange {
  return { ...change, attributes: [[IFLA.IFLA_IFNAME, bridge.name], ...(change.attributes ?? [])] };
}

/** Waits a moment for the mark: another command may have made the bridge just now, and be about to mark it. */
function checkOurs(socket: Netlink, found: Link | undefined, bridge: Bridge): void {
  let link = found;
  for (let attempt = 0; link?.kind === 'bridge' && link.alias === '' && attempt < 20; attempt++) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
    link = findLink(socket, bridge.name);
  }
  if (link?.kind === 'bridge' && link.alias === bridge.alias) return;
  const what = link?.kind ?? 'interface';
  const whose = link?.alias ? `, of ${JSON.stringify(link.alias)}` : '';
  throw new TsboxError(
    'FOREIGN_BRIDGE',
    `there is ${/^[aeiou]/.test(what) ? 'an' : 'a'} ${what} ${bridge.name} already, which this network has not made${whose}`,
    { advice: `remove it (ip link delete ${bridge.name}), or give the network another name for its bridge` },
  );
}

function withoutIpv6(error: unknown, addresses: readonly string[]): unknown {
  const errnos = [Errno.EACCES, Errno.EOPNOTSUPP, Errno.EAFNOSUPPORT].map((errno) => -errno);
  if (!(error instanceof KernelError) || !errnos.includes(error.errno)) return error;
  if (!addresses.some((address) => address.includes(':'))) return error;
  return new TsboxError('NO_IPV6', `IPv6 is off on this machine: ${error.message}`, {
    advice:
      'switch it on (sysctl net.ipv6.conf.default.disable_ipv6=0, no ipv6.disable=1 at boot), or take a network without',
    cause: error,
  });
}

/** By chance, and locally administered (IEEE 802). */
export function chooseMac(): string {
  return `02${randomHex(10).replace(/../g, ':$&')}`;
}
