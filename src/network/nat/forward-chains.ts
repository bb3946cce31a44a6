import { fields } from '../../kernel/index.ts';
import { attributeList, decodeAttributes, type NetlinkSocket, textOf } from '../../kernel/netlink/index.ts';
import { FAMILY, TABLE } from './json.ts';
import {
  askNetfilter,
  NFGENMSG,
  NFPROTO_INET,
  NFTA_CHAIN_NAME,
  NFTA_CHAIN_TABLE,
  netfilterRequest,
} from './nfnetlink.ts';

/** Somebody else's chain that sees what the host forwards. */
export interface ForwardChain {
  /** `ip filter` */
  table: string;
  name: string;
  /** What happens to a packet that none of its rules is about. */
  policy: 'accept' | 'drop';
  /** Whether a rule of its table names one of the interfaces. */
  knows: boolean;
}

/**
 * The chains besides ours that forwarded packets go through. A packet must get through all of them: what ours accepts, another may drop.
 *
 * @param interfaces names of bridges
 */
export function forwardChains(interfaces: readonly string[]): ForwardChain[] {
  const chains = askNetfilter((socket) =>
    FAMILIES.flatMap(([family, number]) => {
      const request = netfilterRequest('NFT_MSG_GETCHAIN', number, []);
      return socket.dump(request, READING).flatMap(({ payload }) => {
        const chain = forwardChain(decodeAttributes(payload, NFGENMSG));
        if (chain === undefined || (family === FAMILY && chain.table === TABLE)) return [];
        const knows = names(socket, number, chain.table, interfaces);
        return [{ ...chain, table: `${family} ${chain.table}`, knows }];
      });
    }),
  );
  return chains ?? [];
}

function forwardChain(attributes: Map<number, Uint8Array>): Omit<ForwardChain, 'knows'> | undefined {
  const hook = attributes.get(NFTA_CHAIN_HOOK);
  const number = hook && decodeAttributes(hook).get(NFTA_HOOK_HOOKNUM);
  if (number === undefined || fields(number).getUint32(0) !== NF_INET_FORWARD) return undefined;
  const policy = attributes.get(NFTA_CHAIN_POLICY);
  return {
    table: textOf(attributes.get(NFTA_CHAIN_TABLE)) ?? '',
    name: textOf(attributes.get(NFTA_CHAIN_NAME)) ?? '',
    policy: policy !== undefined && fields(policy).getUint32(0) === NF_DROP ? 'drop' : 'accept',
  };
}

/** A rule compares names of interfaces byte by byte: whatever its form, the name is in it. */
function names(socket: NetlinkSocket, family: number, table: string, interfaces: readonly string[]): boolean {
  const rules = socket.dump(netfilterRequest('NFT_MSG_GETRULE', family, [[NFTA_RULE_TABLE, table]]), READING);
  return rules.some(({ payload }) => {
    const list = new Map(attributeList(payload, NFGENMSG)).get(NFTA_RULE_EXPRESSIONS);
    return list !== undefined && interfaces.some((name) => Buffer.from(list).includes(name));
  });
}

/** linux/netfilter.h. The families whose chains see forwarded IPv4 or IPv6. */
const FAMILIES: [name: string, number: number][] = [
  ['inet', NFPROTO_INET],
  ['ip', 2],
  ['ip6', 10],
];
const NF_INET_FORWARD = 2;
const NF_DROP = 0;
const READING = "read the firewall's chains";
// linux/netfilter/nf_tables.h
const NFTA_CHAIN_HOOK = 4;
const NFTA_CHAIN_POLICY = 5;
const NFTA_HOOK_HOOKNUM = 1;
const NFTA_RULE_TABLE = 1;
const NFTA_RULE_EXPRESSIONS = 4;
