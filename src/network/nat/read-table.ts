import { fields } from '../../kernel/index.ts';
import { attributeList, decodeAttributes, type NetlinkSocket, textOf } from '../../kernel/netlink/index.ts';
import { TABLE } from './json.ts';
import { NFGENMSG, NFPROTO_INET, NFTA_CHAIN_NAME, NFTA_CHAIN_TABLE, netfilterRequest } from './nfnetlink.ts';
import { decodeKey, type PublishedElement } from './published-element.ts';
import { CHAINS, MAPS, type MapName } from './table.ts';

/**
 * Whether the table has all of its rules: each chain of ours knows how many there are. So one that somebody flushed (`nft flush ruleset`, a firewall's own
 * start) is noticed for a few system calls, without a process.
 */
export function isIntact(socket: NetlinkSocket): boolean {
  return Object.entries(USES).every(([name, uses]) => chainUses(socket, name) === uses);
}

/** How many rules a chain has and how often others lead to it. Undefined where there is no such chain. */
export function chainUses(socket: NetlinkSocket, name: string): number | undefined {
  const request = netfilterRequest('NFT_MSG_GETCHAIN', NFPROTO_INET, [
    [NFTA_CHAIN_TABLE, TABLE],
    [NFTA_CHAIN_NAME, name],
  ]);
  const reply = socket.get(request, READING);
  const use = reply && decodeAttributes(reply.payload, NFGENMSG).get(NFTA_CHAIN_USE);
  return use && fields(use).getUint32(0);
}

/** The names of interfaces in a set of them; of pairs the first. Empty where there is no such set. */
export function readInterfaces(socket: NetlinkSocket, set: string): string[] {
  return readElements(socket, set).flatMap(({ key }) => textOf(key.subarray(0, IFNAMSIZ)) ?? []);
}

/** All that is published, by whomever. Empty where there is no table. */
export function readPublished(socket: NetlinkSocket): PublishedElement[] {
  return (Object.keys(MAPS) as MapName[]).flatMap((map) =>
    readElements(socket, map).flatMap(({ key, chain }) =>
      chain === undefined ? [] : { ...decodeKey(map, key), chain },
    ),
  );
}

function readElements(socket: NetlinkSocket, set: string): { key: Uint8Array; chain: string | undefined }[] {
  const request = netfilterRequest('NFT_MSG_GETSETELEM', NFPROTO_INET, [
    [NFTA_SET_ELEM_LIST_TABLE, TABLE],
    [NFTA_SET_ELEM_LIST_SET, set],
  ]);
  return socket.dump(request, READING).flatMap(({ payload }) => {
    const list = decodeAttributes(payload, NFGENMSG).get(NFTA_SET_ELEM_LIST_ELEMENTS);
    return list === undefined ? [] : attributeList(list).flatMap(([, element]) => readElement(element));
  });
}

function readElement(element: Uint8Array): { key: Uint8Array; chain: string | undefined }[] {
  const parts = decodeAttributes(element);
  const key = inside(parts.get(NFTA_SET_ELEM_KEY), NFTA_DATA_VALUE);
  const chain = inside(inside(parts.get(NFTA_SET_ELEM_DATA), NFTA_DATA_VERDICT), NFTA_VERDICT_CHAIN);
  return key === undefined ? [] : [{ key, chain: textOf(chain) }];
}

function inside(nested: Uint8Array | undefined, type: number): Uint8Array | undefined {
  return nested === undefined ? undefined : decodeAttributes(nested).get(type);
}

/** `published` is led to from `prerouting` and `output`, and knows it when they have lost their rule. */
const LEAD_TO_PUBLISHED = ['prerouting', 'output'];
const USES = Object.fromEntries(
  Object.entries(CHAINS)
    .filter(([name]) => !LEAD_TO_PUBLISHED.includes(name))
    .map(([name, { rules }]) => [name, rules.length + (name === 'published' ? LEAD_TO_PUBLISHED.length : 0)]),
);

const READING = 'read the table of nftables';
const IFNAMSIZ = 16;
// linux/netfilter/nf_tables.h
const NFTA_CHAIN_USE = 6;
const NFTA_SET_ELEM_LIST_TABLE = 1;
const NFTA_SET_ELEM_LIST_SET = 2;
const NFTA_SET_ELEM_LIST_ELEMENTS = 3;
const NFTA_SET_ELEM_KEY = 1;
const NFTA_SET_ELEM_DATA = 2;
const NFTA_DATA_VALUE = 1;
const NFTA_DATA_VERDICT = 2;
const NFTA_VERDICT_CHAIN = 2;
