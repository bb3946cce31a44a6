import { networkInterfaces } from 'node:os';
import { fields } from '../../kernel/index.ts';
import {
  type Attribute,
  decodeAttributes,
  type NetlinkSocket,
  type Reply,
} from '../../kernel/netlink/index.ts';
import { formatAddress } from '../address/index.ts';
import { askNetfilter, NFGENMSG, netfilterRequest } from './nfnetlink.ts';
import type { BoundPort } from './port.ts';
import { NUMBERS } from './published-element.ts';

/**
 * Has the kernel forget where it sent the datagrams of clients that were talking to a UDP port before: to the host itself, or to a container that had the port earlier.
 * Rules are for the first packet of a flow only, and a client that goes on sending from one port keeps its flow alive (30 s, nf_conntrack-sysctl.rst of
 * the kernel); it would never reach the container. TCP begins anew by itself.
 */
export function forgetStaleFlows(ports: readonly BoundPort[], addresses: readonly string[]): void {
  const udp = ports.filter(({ protocol }) => protocol === 'udp');
  if (udp.length === 0) return;
  const local = localAddresses();
  const own = addresses.map((address) => address.replace(/\/.*/, ''));
  askNetfilter((socket) => {
    const stale = flows(socket).filter((flow) => udp.some((port) => isStale(flow, port, own, local)));
    if (stale.length > 0) socket.batch(stale.map(deletion), 'forget earlier flows of a port');
  });
}

interface Flow {
  family: number;
  protocol: number;
  /** Where the client sends to. */
  to: string;
  port: number;
  /** Who answers. */
  by: string;
  byPort: number;
  /** The client's side as the kernel has it. */
  tuple: Uint8Array;
}

function isStale(flow: Flow, port: BoundPort, own: readonly string[], local: ReadonlySet<string>): boolean {
  if (flow.protocol !== NUMBERS.udp || flow.port !== port.hostPort) return false;
  const everywhere = port.hostAddress === (flow.family === AF_INET ? '0.0.0.0' : '::');
  // What is only forwarded by this host, or leaves it, to the same port of somebody else.
  const isHere = everywhere ? local.has(flow.to) || flow.to.startsWith('127.') : flow.to === port.hostAddress;
  return isHere && !(own.includes(flow.by) && flow.byPort === port.containerPort);
}

function localAddresses(): Set<string> {
  return new Set(
    Object.values(networkInterfaces()).flatMap((all) => all?.map(({ address }) => address) ?? []),
  );
}

function flows(socket: NetlinkSocket): Flow[] {
  const dump = (family: number) =>
    socket.dump(netfilterRequest('IPCTNL_MSG_CT_GET', family, []), 'read the flows that the kernel tracks');
  return [...dump(AF_INET), ...dump(AF_INET6)].flatMap(flowOf);
}

function flowOf({ payload }: Reply): Flow[] {
  const family = payload[0] ?? 0;
  const attributes = decodeAttributes(payload, NFGENMSG);
  const tuple = attributes.get(CTA_TUPLE_ORIG);
  const answer = attributes.get(CTA_TUPLE_REPLY);
  if (tuple === undefined || answer === undefined) return [];
  const [sent, answered] = [ends(tuple), ends(answer)];
  return [
    {
      family,
      protocol: sent.protocol,
      to: sent.destination,
      port: sent.destinationPort,
      by: answered.source,
      byPort: answered.sourcePort,
      tuple,
    },
  ];
}

function ends(tuple: Uint8Array) {
  const parts = decodeAttributes(tuple);
  const ip = decodeAttributes(parts.get(CTA_TUPLE_IP) ?? NOTHING);
  const proto = decodeAttributes(parts.get(CTA_TUPLE_PROTO) ?? NOTHING);
  const port = (type: number) => {
    const value = proto.get(type);
    return value?.length === 2 ? fields(value).getUint16(0) : 0;
  };
  return {
    protocol: proto.get(CTA_PROTO_NUM)?.[0] ?? 0,
    source: text(ip.get(CTA_IP_V4_SRC) ?? ip.get(CTA_IP_V6_SRC)),
    sourcePort: port(CTA_PROTO_SRC_PORT),
    destination: text(ip.get(CTA_IP_V4_DST) ?? ip.get(CTA_IP_V6_DST)),
    destinationPort: port(CTA_PROTO_DST_PORT),
  };
}

function text(address: Uint8Array | undefined): string {
  if (address === undefined) return '';
  const value = BigInt(`0x${Buffer.from(address).toString('hex')}`);
  return formatAddress({ family: address.length === 4 ? 4 : 6, value });
}

/** By the tuple of one direction. It may have ended by itself: ENOENT. */
function deletion({ family, tuple }: Flow) {
  const attributes: Attribute[] = [[CTA_TUPLE_ORIG | NLA_F_NESTED, tuple]];
  return netfilterRequest('IPCTNL_MSG_CT_DELETE', family, attributes);
}

const NOTHING = new Uint8Array();
const AF_INET = 2;
const AF_INET6 = 10;
const NLA_F_NESTED = 0x8000;
// linux/netfilter/nfnetlink_conntrack.h
const CTA_TUPLE_ORIG = 1;
const CTA_TUPLE_REPLY = 2;
const CTA_TUPLE_IP = 1;
const CTA_TUPLE_PROTO = 2;
const CTA_IP_V4_SRC = 1;
const CTA_IP_V4_DST = 2;
const CTA_IP_V6_SRC = 3;
const CTA_IP_V6_DST = 4;
const CTA_PROTO_NUM = 1;
const CTA_PROTO_SRC_PORT = 2;
const CTA_PROTO_DST_PORT = 3;
