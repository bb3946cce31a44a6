import { TsboxError } from '../../kernel/index.ts';
import {
  AF_INET6,
  type Attribute,
  encodeAttributes,
  IFLA,
  IFLA_BRPORT_ISOLATED,
  IFLA_BRPORT_MODE,
  IFLA_INET6_ADDR_GEN_MODE,
  IFLA_INFO,
  IFLA_IPVLAN_MODE,
  IFLA_MACVLAN_MODE,
  IN6_ADDR_GEN_MODE_NONE,
  type Request,
  u8,
  u16,
  VETH_INFO_PEER,
} from '../../kernel/netlink/index.ts';
import type { Attachment } from './attach.ts';
import { changeLink, linkHeader, macBytes, makeLink } from './requests.ts';

interface Place {
  /** The number of the bridge or link. */
  parent: number;
  /** The name of the host's end; a veth pair only has one. */
  hostEnd: string | undefined;
  namespace: number;
}

/** Makes an interface straight in the container's namespace: there it can have any name, and is never seen on the host. */
export function makeInterface(attachment: Attachment, { parent, hostEnd, namespace }: Place): Request {
  const inside: Attribute[] = [
    [IFLA.IFLA_IFNAME, attachment.interface],
    [IFLA.IFLA_NET_NS_FD, namespace],
    [IFLA.IFLA_MTU, attachment.mtu],
  ];
  // One of ipvlan has its parent's.
  if (attachment.mac !== undefined && attachment.driver !== 'ipvlan')
    inside.push([IFLA.IFLA_ADDRESS, macBytes(attachment.mac)]);
  if (hostEnd === undefined)
    return makeLink({ attributes: [...inside, [IFLA.IFLA_LINK, parent], shared(attachment)] });
  const peer = Buffer.concat([linkHeader({}), encodeAttributes([...inside, ...ONE_QUEUE])]);
  return makeLink({
    attributes: [
      [IFLA.IFLA_IFNAME, hostEnd],
      [IFLA.IFLA_MTU, attachment.mtu],
      [IFLA.IFLA_MASTER, parent],
      ...ONE_QUEUE,
      kind('veth', [[VETH_INFO_PEER, peer]]),
    ],
  });
}

/** The host's end of a veth pair needs no address of its own: one of IPv6 would be made, tried and announced for each. */
export function setUpHostEnd({ hairpin, isolated }: Attachment, hostEnd: string | undefined): Request[] {
  if (hostEnd === undefined) return [];
  const attributes: Attribute[] = [[IFLA.IFLA_IFNAME, hostEnd], withoutLinkLocal()];
  const port: Attribute[] = [];
  if (hairpin) port.push([IFLA_BRPORT_MODE, u8(1)]);
  if (isolated) port.push([IFLA_BRPORT_ISOLATED, u8(1)]);
  if (port.length > 0)
    attributes.push([
      IFLA.IFLA_LINKINFO,
      [
        [IFLA_INFO.IFLA_INFO_SLAVE_KIND, 'bridge'],
        [IFLA_INFO.IFLA_INFO_SLAVE_DATA, port],
      ],
    ]);
  return [changeLink({ up: true, attributes })];
}

/** No fe80:: address; one that is there already stays. */
export function withoutLinkLocal(): Attribute {
  return [IFLA.IFLA_AF_SPEC, [[AF_INET6, [[IFLA_INET6_ADDR_GEN_MODE, u8(IN6_ADDR_GEN_MODE_NONE)]]]]];
}

function shared({ driver, mode }: Attachment): Attribute {
  if (driver === 'macvlan') {
    const number = MACVLAN_MODES[(mode ?? 'bridge') as keyof typeof MACVLAN_MODES];
    if (number === undefined) throw badMode('macvlan', mode, Object.keys(MACVLAN_MODES));
    return kind('macvlan', [[IFLA_MACVLAN_MODE, number]]);
  }
  const number = IPVLAN_MODES.indexOf(mode ?? 'l2');
  if (number < 0) throw badMode('ipvlan', mode, IPVLAN_MODES);
  return kind('ipvlan', [[IFLA_IPVLAN_MODE, u16(number)]]);
}

function kind(name: string, data: readonly Attribute[]): Attribute {
  return [
    IFLA.IFLA_LINKINFO,
    [
      [IFLA_INFO.IFLA_INFO_KIND, name],
      [IFLA_INFO.IFLA_INFO_DATA, data],
    ],
  ];
}

function badMode(driver: string, mode: string | undefined, modes: readonly string[]): TsboxError {
  return new TsboxError('BAD_MODE', `${driver} has no mode ${JSON.stringify(mode)}: ${modes.join(', ')}`);
}

/** Each way. The kernel would make one a processor, each with files in /sys, though a veth sends without them: it has neither a lock nor a queue. */
const ONE_QUEUE: readonly Attribute[] = [
  [IFLA.IFLA_NUM_TX_QUEUES, 1],
  [IFLA.IFLA_NUM_RX_QUEUES, 1],
];
/** enum macvlan_mode of linux/if_link.h. */
export const MACVLAN_MODES = { private: 1, vepa: 2, bridge: 4, passthru: 8 };
/** enum ipvlan_mode: from 0. */
export const IPVLAN_MODES = ['l2', 'l3', 'l3s'];
