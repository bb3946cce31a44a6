import { fields, TsboxError } from '../../kernel/index.ts';
import { formatAddress, parseAddress } from '../address/index.ts';
import { type Command, concat, elements, goTo, type Json } from './json.ts';
import type { Protocol } from './port.ts';
import { MAPS, type MapName } from './table.ts';

/** An element of one of the maps, by which packets find a chain of a container. */
export interface PublishedElement extends MapKey {
  chain: string;
}

export interface MapKey {
  map: MapName;
  /** In the order of the map's type: protocol, perhaps an address of the host, port; or twice the container's address. */
  key: readonly (string | number)[];
}

/** The key for a port at an address of the host; `0.0.0.0` and `::` are all of a family. */
export function portKey(hostAddress: string, port: number, protocol: Protocol): MapKey {
  if (hostAddress === '0.0.0.0') return { map: 'any4', key: [NUMBERS[protocol], port] };
  if (hostAddress === '::') return { map: 'any6', key: [NUMBERS[protocol], port] };
  const map = hostAddress.includes(':') ? 'at6' : 'at4';
  return { map, key: [NUMBERS[protocol], hostAddress, port] };
}

/** The key for what a container sends to itself. */
export function selfKey(address: string): MapKey {
  return { map: address.includes(':') ? 'self6' : 'self4', key: [address, address] };
}

/** To compare keys by. */
export function keyText({ map, key }: MapKey): string {
  return [map, ...key].join(' ');
}

/** Commands that add elements, each with where it leads, or delete them. One for each map, since nft takes long for many. */
export function elementCommands(verb: 'add' | 'delete', all: readonly PublishedElement[]): Command[] {
  return (Object.keys(MAPS) as MapName[]).flatMap((map) => {
    const members = all
      .filter((element) => element.map === map)
      .map(({ key, chain }): Json => (verb === 'add' ? [concat(...key), goTo(chain)] : concat(...key)));
    return members.length === 0 ? [] : [{ [verb]: elements(map, members) }];
  });
}

/** Of what the kernel has as a key: each part in network byte order, at a multiple of 4 bytes. @throws {TsboxError} BAD_NETLINK */
export function decodeKey(map: MapName, bytes: Uint8Array): MapKey {
  let at = 0;
  const next = (length: number) => {
    const part = bytes.subarray(at, at + length);
    if (part.length < length)
      throw new TsboxError(
        'BAD_NETLINK',
        `the map ${map} of the table inet tsbox has a key that is not ours`,
      );
    at += Math.max(length, 4);
    return part;
  };
  const key = MAPS[map].map((type) => {
    if (type === 'inet_proto') return next(1)[0] as number;
    if (type === 'inet_service') return fields(next(2)).getUint16(0);
    return addressOf(next(type === 'ipv4_addr' ? 4 : 16));
  });
  return { map, key };
}

function addressOf(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex');
  return formatAddress({ family: bytes.length === 4 ? 4 : 6, value: BigInt(`0x${hex}`) });
}

/** The bytes of an address in network order, as sockets and netlink have them. */
export function addressBytes(text: string): Uint8Array {
  const address = parseAddress(text);
  if (address === undefined) throw new TsboxError('BAD_ADDRESS', `${JSON.stringify(text)} is not an address`);
  const digits = address.family === 4 ? 8 : 32;
  return Buffer.from(address.value.toString(16).padStart(digits, '0'), 'hex');
}

/** IPPROTO_TCP and the others. Their names are in /etc/protocols, which is not everywhere. */
export const NUMBERS: Record<Protocol, number> = { tcp: 6, udp: 17, sctp: 132 };
