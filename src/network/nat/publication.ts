import { type Command, chain, field, type Json, MASQUERADE, match, rule } from './json.ts';
import type { BoundPort } from './port.ts';
import { elementCommands, keyText, type PublishedElement, portKey, selfKey } from './published-element.ts';

/** Ports of the host that lead to a container. */
export interface Publication {
  /** The container's id. */
  id: string;
  ports: readonly BoundPort[];
  /** The container's own, one of each family that it has; with or without a prefix length. */
  addresses: readonly string[];
}

/** The chain with a container's rules for packets that come to a port of the host. */
export function chainOf(id: string): string {
  return `container-${id}`;
}

/** The one for those that it sent to itself that way. */
export function selfChainOf(id: string): string {
  return `self-${id}`;
}

/**
 * What nft is to do so that exactly these ports lead to these containers. Whoever holds a port's socket has it: where one of them still leads to another container,
 * that one is dead and has not been swept yet.
 *
 * @param now what there is
 */
export function publicationCommands(
  publications: readonly Publication[],
  now: readonly PublishedElement[],
): Command[] {
  const wanted = publications.flatMap(elementsOf);
  const target = new Map(wanted.map((element) => [keyText(element), element.chain]));
  const chains = new Set(publications.flatMap(({ id }) => [chainOf(id), selfChainOf(id)]));
  const stays = now.filter((element) => target.get(keyText(element)) === element.chain);
  const there = new Set(stays.map(keyText));
  const goes = now.filter(
    (element) => !there.has(keyText(element)) && (target.has(keyText(element)) || chains.has(element.chain)),
  );
  return [
    ...elementCommands('delete', goes),
    ...publications.flatMap(chainCommands),
    ...elementCommands(
      'add',
      wanted.filter((element) => !there.has(keyText(element))),
    ),
  ];
}

function elementsOf(publication: Publication): PublishedElement[] {
  const { id } = publication;
  const all = translations(publication);
  const addresses = new Set(all.map(({ address }) => address));
  return [
    ...all.map(({ port: { hostAddress, hostPort, protocol } }) => ({
      ...portKey(hostAddress, hostPort, protocol),
      chain: chainOf(id),
    })),
    ...[...addresses].map((address) => ({ ...selfKey(address), chain: selfChainOf(id) })),
  ];
}

function chainCommands(publication: Publication): Command[] {
  const [name, self] = [chainOf(publication.id), selfChainOf(publication.id)];
  const rules = merge(translations(publication)).map((run) => ({ add: rule(name, translate(run)) }));
  return [
    { add: chain(name) },
    { flush: chain(name) },
    ...rules,
    { add: chain(self) },
    { flush: chain(self) },
    { add: rule(self, [MASQUERADE]) },
  ];
}

interface Translation {
  port: BoundPort;
  /** The container's. */
  address: string;
}

/** Those that are possible: an address of the host leads to one of the same family. */
function translations({ ports, addresses }: Publication): Translation[] {
  const own = addresses.map((address) => address.replace(/\/.*/, ''));
  return ports.flatMap((port) => {
    const address = own.find((each) => each.includes(':') === port.hostAddress.includes(':'));
    return address === undefined ? [] : { port, address };
  });
}

/** Ports one after the other, inside as well. */
interface Run extends Translation {
  last: number;
}

/** A range is one rule: nft takes a second for a thousand of them. */
function merge(all: readonly Translation[]): Run[] {
  const sorted = [...all].sort((a, b) => a.port.hostPort - b.port.hostPort);
  const runs: Run[] = [];
  for (const translation of sorted) {
    const run = runs.find((run) => follows(run, translation));
    if (run === undefined) runs.push({ ...translation, last: translation.port.hostPort });
    else run.last++;
  }
  return runs;
}

function follows({ port, address, last }: Run, next: Translation): boolean {
  return (
    next.port.hostPort === last + 1 &&
    next.port.containerPort - next.port.hostPort === port.containerPort - port.hostPort &&
    next.port.protocol === port.protocol &&
    next.port.hostAddress === port.hostAddress &&
    next.address === address
  );
}

function translate({ port, address, last }: Run): Json[] {
  const { hostAddress, hostPort, protocol } = port;
  const family = address.includes(':') ? 'ip6' : 'ip';
  const everywhere = hostAddress === '0.0.0.0' || hostAddress === '::';
  const ports: Json = last === hostPort ? hostPort : { range: [hostPort, last] };
  return [
    ...(everywhere ? [] : [match(field(family, 'daddr'), hostAddress)]),
    match(field(protocol, 'dport'), ports),
    { dnat: { family, addr: address, ...inside(port, last) } },
  ];
}

/** The port inside. nft leaves a port alone where it is given none; it knows no sums, so other ranges are written out. */
function inside({ hostPort, containerPort, protocol }: BoundPort, last: number): { port?: Json } {
  if (last === hostPort) return { port: containerPort };
  if (containerPort === hostPort) return {};
  const pairs = Array.from({ length: last - hostPort + 1 }, (_, at) => [hostPort + at, containerPort + at]);
  return { port: { map: { key: field(protocol, 'dport'), data: { set: pairs } } } };
}
