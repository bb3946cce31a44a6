import {
  ACCEPT,
  type Command,
  chain,
  concat,
  ct,
  DROP,
  field,
  type Json,
  MASQUERADE,
  match,
  meta,
  rule,
  set,
  subnet,
  table,
  verdictMap,
} from './json.ts';

/**
 * The table without any network in it. Everything that differs from one machine to another is in the sets and maps, to which each network and each
 * container adds its own, so the rules are the same for all. Carried out where the table is there already, it puts the rules back and leaves the elements alone.
 *
 * Order matters in `forward`: what was let through once goes first, as that is nearly every packet.
 */
export function tableCommands(): Command[] {
  const chains = Object.entries(CHAINS);
  return [
    { add: table() },
    ...Object.entries(SETS).map(([name, type]) => ({ add: set(name, type) })),
    ...Object.entries(MAPS).map(([name, type]) => ({ add: verdictMap(name, type) })),
    ...chains.map(([name, { hook }]) => ({ add: chain(name, hook) })),
    ...chains.map(([name]) => ({ flush: chain(name) })),
    ...chains.flatMap(([name, { rules }]) =>
      rules.map(([expr, comment]) => ({ add: rule(name, expr, comment) })),
    ),
  ];
}

/** Of bridges, by name; each has the bridge in it that the rule is for. */
export const SETS = {
  /** All of ours. */
  bridges: 'ifname',
  /** Each with itself: what comes out of it and goes into it again. */
  hairpin: ['ifname', 'ifname'],
  /** The same of those whose containers may reach each other. */
  within: ['ifname', 'ifname'],
  internal: 'ifname',
  /** Reached from outside without a published port. */
  routed4: 'ifname',
  routed6: 'ifname',
  masquerade4: 'ifname',
  masquerade6: 'ifname',
} satisfies Record<string, Json>;

/** From a port of the host to a chain of the container. Protocols are numbers: their names are in /etc/protocols, which is not everywhere. */
export const MAPS = {
  any4: ['inet_proto', 'inet_service'],
  any6: ['inet_proto', 'inet_service'],
  at4: ['inet_proto', 'ipv4_addr', 'inet_service'],
  at6: ['inet_proto', 'ipv6_addr', 'inet_service'],
  // From a container to itself, which must not see its own address as the client's.
  self4: ['ipv4_addr', 'ipv4_addr'],
  self6: ['ipv6_addr', 'ipv6_addr'],
} satisfies Record<string, Json>;

export type MapName = keyof typeof MAPS;

/** A rule's expressions, and what `nft list table` shows beside it. */
type Rule = [expr: Json[], comment?: string];

const LOOPBACK = subnet('127.0.0.0', 8);
const both = concat(meta('iifname'), meta('oifname'));
const local = match({ fib: { result: 'type', flags: ['daddr'] } }, 'local');
const translated = match(ct('status'), 'dnat', 'in');

const lookUp = (map: MapName, ...parts: Json[]): Json => ({
  vmap: { key: concat(meta('l4proto'), ...parts, field('th', 'dport')), data: `@${map}` },
});

const base = (type: string, hook: string, prio: number) => ({ type, hook, prio, policy: 'accept' });

export const CHAINS: Record<string, { hook?: { [name: string]: Json }; rules: Rule[] }> = {
  raw: {
    // Before connection tracking: an answer to 127.0.0.1 still has the bridge's address here, so whatever has a loopback address on the wire is forged.
    hook: base('filter', 'prerouting', -300),
    rules: [
      [[match(field('ip', 'daddr'), LOOPBACK), match(meta('iifname'), '@bridges'), DROP], 'CVE-2020-8558'],
      [[match(field('ip', 'saddr'), LOOPBACK), match(meta('iifname'), '@bridges'), DROP], 'CVE-2020-8558'],
    ],
  },
  forward: {
    hook: base('filter', 'forward', 0),
    rules: [
      [[match(ct('state'), ['established', 'related'], 'in'), ACCEPT]],
      [[match(both, '@within'), ACCEPT]],
      [[match(both, '@hairpin'), translated, ACCEPT]],
      [[match(meta('iifname'), '@internal'), DROP], 'no way out'],
      [[match(meta('oifname'), '@internal'), DROP], 'no way in'],
      [[match(meta('oifname'), '@bridges'), translated, ACCEPT], 'published ports'],
      [comesFromOutside('ipv4', '@routed4')],
      [comesFromOutside('ipv6', '@routed6')],
      [[match(meta('oifname'), '@bridges'), DROP], 'nothing else reaches a container'],
    ],
  },
  published: {
    rules: [
      [[lookUp('at4', field('ip', 'daddr'))]],
      [[lookUp('at6', field('ip6', 'daddr'))]],
      [[match(meta('nfproto'), 'ipv4'), local, lookUp('any4')]],
      // An answer to ::1 that comes in by a bridge is dropped by the kernel: better a connection that is refused at once.
      [[match(field('ip6', 'daddr'), '::1', '!='), local, lookUp('any6')]],
    ],
  },
  prerouting: {
    hook: base('nat', 'prerouting', -100),
    rules: [[[{ jump: { target: 'published' } }]]],
  },
  output: {
    hook: base('nat', 'output', -100),
    rules: [[[{ jump: { target: 'published' } }]]],
  },
  postrouting: {
    hook: base('nat', 'postrouting', 100),
    rules: [
      // Where br_netfilter is in force, packets are translated inside the bridge and there is no `iifname` here. Then answers come back the same way by
      // themselves, but for those to itself.
      [[match(both, '@hairpin'), translated, MASQUERADE], 'else the answer goes past the host'],
      [[translated, { vmap: { key: concat(field('ip', 'saddr'), field('ip', 'daddr')), data: '@self4' } }]],
      [[translated, { vmap: { key: concat(field('ip6', 'saddr'), field('ip6', 'daddr')), data: '@self6' } }]],
      [
        [match(field('ip', 'saddr'), LOOPBACK), match(meta('oifname'), '@bridges'), translated, MASQUERADE],
        'from the host itself',
      ],
      [leaves('ipv4', '@masquerade4')],
      [leaves('ipv6', '@masquerade6')],
    ],
  },
};

function comesFromOutside(family: string, bridges: string): Json[] {
  return [
    match(meta('nfproto'), family),
    match(meta('oifname'), bridges),
    match(meta('iifname'), '@bridges', '!='),
    ACCEPT,
  ];
}

function leaves(family: string, bridges: string): Json[] {
  return [
    match(meta('nfproto'), family),
    match(meta('iifname'), bridges),
    match(meta('oifname'), '@bridges', '!='),
    MASQUERADE,
  ];
}
