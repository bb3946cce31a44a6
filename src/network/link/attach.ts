import { Errno, randomHex, TsboxError } from '../../kernel/index.ts';
import { inNetworkNamespace, NetlinkSocket, type Request } from '../../kernel/netlink/index.ts';
import { checkInterfaceName, findLink } from './find-link.ts';
import { setUpInterface, setUpLoopback } from './inside.ts';
import { makingLinks } from './kind-missing.ts';
import { makeInterface, setUpHostEnd } from './kinds.ts';
import type { Netlink } from './netlink.ts';
import { removeLink } from './requests.ts';

/** An interface of a container's, in one network. */
export interface Attachment {
  driver: 'bridge' | 'macvlan' | 'ipvlan';
  /** The bridge, or the link of the host's that macvlan and ipvlan share. */
  parent: string;
  /** Of macvlan: bridge (default), vepa, private or passthru; of ipvlan: l2 (default), l3 or l3s. */
  mode?: string;
  /** Its name in the container: `eth0`. */
  interface: string;
  /** `02:42:0a:57:00:02`; default: one of the kernel's choice. An interface of ipvlan, or of macvlan's passthru, has its parent's. */
  mac?: string;
  mtu: number;
  /** With the length of the prefix: `10.87.0.2/16`, `fd00::2/64`. */
  addresses: readonly string[];
  /** Where the default routes through it lead, at most one a family. */
  gateways: readonly string[];
  /** Of a bridge, the name of the host's end. Default: `veth` and 8 hexadecimal digits by chance. */
  hostInterface?: string;
  /** Of a bridge: packets may go back to where they came from. A container reaches itself by a published port that way where br_netfilter is in force. */
  hairpin?: boolean;
  /** Of a bridge: it reaches no other one that is so, only the host and what that leads to. */
  isolated?: boolean;
}

/**
 * Gives a network namespace its interfaces, with addresses and routes, and `lo`. On return packets flow. Nothing is left of it where it fails.
 *
 * @param namespace from openNetworkNamespace
 * @throws {TsboxError} NO_PARENT where the bridge or the parent link is not there; NO_VETH, NO_MACVLAN, NO_IPVLAN where the kernel has none;
 * BAD_INTERFACE, BAD_SUBNET; KernelError with the kernel's own words
 */
export function attachInterfaces(namespace: number, attachments: readonly Attachment[]): void {
  const host = NetlinkSocket.open();
  try {
    const inside = inNetworkNamespace(namespace, () => NetlinkSocket.open());
    try {
      attachOver({ host, inside, namespace }, attachments);
    } finally {
      inside.close();
    }
  } finally {
    host.close();
  }
}

/** Takes an interface out of a namespace, with the host's end of it. Nothing happens where it is gone. @throws {KernelError} */
export function detachInterface(namespace: number, name: string): void {
  const inside = inNetworkNamespace(namespace, () => NetlinkSocket.open());
  try {
    inside.batch([removeLink(checkInterfaceName(name), [Errno.ENODEV])], `remove the interface ${name}`);
  } finally {
    inside.close();
  }
}

interface Sockets {
  host: Netlink;
  /** One of the container's namespace. */
  inside: Netlink;
  namespace: number;
}

/** The same over sockets that are open, or over such that only write down what they are told. */
export function attachOver({ host, inside, namespace }: Sockets, attachments: readonly Attachment[]): void {
  for (const attachment of attachments) checkInterfaceName(attachment.interface);
  const parents = attachments.map((attachment) => parentOf(attachment, host));
  const made: string[] = [];
  try {
    const hostEnds = attachments.map((attachment, at) => {
      const hostEnd = attachment.driver === 'bridge' ? (attachment.hostInterface ?? newName()) : undefined;
      // One at a time: what failed may be somebody else's, and is not to be removed.
      make(
        host,
        makeInterface(attachment, { parent: parents[at] as number, hostEnd, namespace }),
        attachment,
      );
      made.push(attachment.interface);
      return hostEnd;
    });
    const changes = attachments.flatMap((one, at) => setUpHostEnd(one, hostEnds[at]));
    if (changes.length > 0) host.batch(changes, 'set up the host’s end of the interface');
    setUpInside(inside, attachments);
    settle(host, attachments, hostEnds);
  } catch (error) {
    const removals = made.map((name) => removeLink(name, [Errno.ENODEV]));
    if (removals.length > 0) inside.batch(removals, 'remove the interfaces that were made');
    throw error;
  }
}

function setUpInside(inside: Netlink, attachments: readonly Attachment[]): void {
  const requests = attachments.flatMap((attachment) => {
    const index = inside.indexOf(attachment.interface);
    if (index === undefined) throw new TsboxError('NO_INTERFACE', `${attachment.interface} has been removed`);
    return setUpInterface(attachment, index);
  });
  // A container's init puts it up itself.
  if (!inside.stateOf('lo').up) requests.unshift(setUpLoopback());
  const names = attachments.map((attachment) => attachment.interface);
  if (requests.length > 0) inside.batch(requests, `set up ${names.join(', ') || 'lo'} in the container`);
}

/**
 * A link takes packets only when the kernel's link watch, which runs in the background, has seen that both its ends are up, and a port of a bridge
 * waits for that too. What is sent before is lost, and sent again a second later. Asking for a link has the kernel look at once (since
 * 6.9, rtnl_getlink()); before, it is a matter of microseconds usually.
 */
function settle(
  host: Netlink,
  attachments: readonly Attachment[],
  hostEnds: readonly (string | undefined)[],
): void {
  for (const [at, hostEnd] of hostEnds.entries()) {
    if (hostEnd === undefined) continue;
    for (const name of [hostEnd, (attachments[at] as Attachment).parent])
      if (!host.stateOf(name).running) findLink(host, name);
  }
}

function parentOf({ parent }: Attachment, host: Netlink): number {
  const index = host.indexOf(checkInterfaceName(parent));
  if (index !== undefined) return index;
  throw new TsboxError('NO_PARENT', `there is no interface ${parent} to connect the container to`, {
    advice: 'ip link shows those that are there',
  });
}

function make(host: Netlink, request: Request, attachment: Attachment): void {
  const kind = attachment.driver === 'bridge' ? 'veth' : attachment.driver;
  const doing = `connect the container’s ${attachment.interface} to ${attachment.parent}`;
  try {
    makingLinks(kind, () => host.batch([request], doing));
  } catch (error) {
    if (kind === 'veth' && findLink(host, attachment.parent)?.kind !== 'bridge')
      throw new TsboxError(
        'NO_PARENT',
        `${attachment.parent} is no bridge that a container could be connected to`,
        {
          cause: error,
        },
      );
    throw error;
  }
}

function newName(): string {
  return `veth${randomHex(8)}`;
}
