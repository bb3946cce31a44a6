import { fields } from '../../kernel/index.ts';
import {
  AF_INET,
  AF_INET6,
  type Attribute,
  IFA,
  IFA_F_NODAD,
  IFF,
  IFLA,
  NLM_F,
  type Request,
  RT_SCOPE_LINK,
  RT_SCOPE_UNIVERSE,
  RT_TABLE_MAIN,
  RTA,
  RTN_UNICAST,
  RTPROT_BOOT,
} from '../../kernel/netlink/index.ts';
import { type Address, bitsOf, parseAddress, parseAddressWithLength } from '../address/index.ts';

/** A link is meant by its number, which it keeps, or by its name. */
export interface LinkChange {
  index?: number;
  up?: boolean;
  attributes?: readonly Attribute[];
}

export function makeLink(change: LinkChange): Request {
  const flags = NLM_F.NLM_F_CREATE | NLM_F.NLM_F_EXCL;
  return { type: 'RTM_NEWLINK', flags, header: linkHeader(change), attributes: change.attributes };
}

/** RTM_NEWLINK of a link that is there: unlike RTM_SETLINK it changes what a link is as a port of another, too. */
export function changeLink(change: LinkChange): Request {
  return { type: 'RTM_NEWLINK', header: linkHeader(change), attributes: change.attributes };
}

/** @param allow ENODEV, where it may be gone */
export function removeLink(name: string, allow: readonly number[] = []): Request {
  return { type: 'RTM_DELLINK', header: linkHeader({}), attributes: [[IFLA.IFLA_IFNAME, name]], allow };
}

/** struct ifinfomsg: family 1, padding 1, type 2, index 4, flags 4, which of the flags are meant 4. */
export function linkHeader({ index = 0, up }: LinkChange): Uint8Array {
  const header = new Uint8Array(16);
  fields(header).setInt32(4, index, true);
  if (up !== undefined) {
    fields(header).setUint32(8, up ? IFF.IFF_UP : 0, true);
    fields(header).setUint32(12, IFF.IFF_UP, true);
  }
  return header;
}

/** @param text with the length of the prefix: `10.87.0.2/16` */
export function addAddress(index: number, text: string): Request {
  const { address, length } = parseAddressWithLength(text);
  const bytes = bytesOf(address);
  // struct ifaddrmsg: family 1, prefix length 1, flags 1, scope 1, index 4.
  const header = new Uint8Array(8);
  header.set([familyOf(address), length, address.family === 6 ? IFA_F_NODAD : 0, RT_SCOPE_UNIVERSE]);
  fields(header).setUint32(4, index, true);
  const attributes: Attribute[] = [
    [IFA.IFA_LOCAL, bytes],
    [IFA.IFA_ADDRESS, bytes],
  ];
  // A subnet of two addresses has no broadcast address (RFC 3021).
  if (address.family === 4 && length < 31) {
    const hostBits = (1n << BigInt(32 - length)) - 1n;
    attributes.push([IFA.IFA_BROADCAST, bytesOf({ family: 4, value: address.value | hostBits })]);
  }
  const flags = NLM_F.NLM_F_CREATE | NLM_F.NLM_F_REPLACE;
  return { type: 'RTM_NEWADDR', flags, header, attributes };
}

/** @param gateway undefined: everybody is on the link itself, as with ipvlan in its modes l3 and l3s */
export function addDefaultRoute(index: number, family: 4 | 6, gateway?: string): Request {
  const header = routeHeader(family === 4 ? AF_INET : AF_INET6, 0);
  header.set([RT_TABLE_MAIN, RTPROT_BOOT, gateway === undefined ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE], 4);
  header[7] = RTN_UNICAST;
  const attributes: Attribute[] = [[RTA.RTA_OIF, index]];
  if (gateway !== undefined) attributes.push([RTA.RTA_GATEWAY, bytesOf(parseAddress(gateway) as Address)]);
  const flags = NLM_F.NLM_F_CREATE | NLM_F.NLM_F_REPLACE;
  return { type: 'RTM_NEWROUTE', flags, header, attributes };
}

/** struct rtmsg: family 1, length of the destination's prefix 1, of the source's 1, tos 1, table 1, protocol 1, scope 1, type 1, flags 4. */
export function routeHeader(family: number, destinationLength: number): Uint8Array {
  const header = new Uint8Array(12);
  header.set([family, destinationLength]);
  return header;
}

/** The bytes of an address in the order of the network. */
export function bytesOf({ family, value }: Address): Uint8Array {
  return Uint8Array.from({ length: bitsOf(family) / 8 }, (_, at) =>
    Number((value >> BigInt(bitsOf(family) - 8 * (at + 1))) & 0xffn),
  );
}

export function addressOf(bytes: Uint8Array): Address {
  const value = bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  return { family: bytes.length === 4 ? 4 : 6, value };
}

/** The bytes of an Ethernet address: `02:42:0a:57:00:02`. */
export function macBytes(mac: string): Uint8Array {
  return Uint8Array.from(mac.split(':'), (byte) => Number.parseInt(byte, 16));
}

function familyOf(address: Address): number {
  return address.family === 4 ? AF_INET : AF_INET6;
}
