import { fields, TsboxError } from '../../kernel/index.ts';
import { formatAddress, parseAddress } from '../address/index.ts';
import { type Command, concat, elements, goTo, type Json } from './json.ts';
import type { Protocol } from './port.ts';
import { MAPS, type MapName } from './table.ts';

/** One port of the host in one of the maps, by which its packets find the chain of a container. */
export interface PublishedElement extends PortKey {
  chain: string;
}

export interface PortKey {
  map: MapName;
  protocol: Protocol;
  /** In the maps `at4` and `at6`. */
  address?: string;
  port: number;
}

/** The key for a port at an address of the host; `0.0.0.0` and `::` are all of a family. */
export function keyOf(hostAddress: string, port: number, protocol: Protocol): PortKey {
  if (hostAddress === '0.0.0.0') return { map: 'any4', protocol, port };
  if (hostAddress === '::') return { map: 'any6', protocol, port };
  return { map: hostAddress.includes(':') ? 'at6' : 'at4', protocol, address: hostAddress, port };
}

/** To compare keys by. */
export function keyText({ map, protocol, address, port }: PortKey): string {
  return `${map} ${protocol} ${address ?? ''} ${port}`;
}

/** Commands that add elements, each with where it leads, or delete them. One for each map, since nft takes long for many. */
export function elementCommands(verb: 'add' | 'delete', all: readonly PublishedElement[]): Command[] {
  return (Object.keys(MAPS) as MapName[]).flatMap((map) => {
    const members = all.filter((element) => element.map === map).map((element) => member(verb, element));
    return members.length === 0 ? [] : [{ [verb]: elements(map, members) }];
  });
}

function member(verb: 'add' | 'delete', { protocol, address, port, chain }: PublishedElement): Json {
  const key = concat(NUMBERS[protocol], ...(address === undefined ? [] : [address]), port);
  return verb === 'add' ? [key, goTo(chain)] : key;
}

/** Of what the kernel has as a key: each part in its network byte order, at a multiple of 4 bytes. @throws {TsboxError} BAD_NETLINK */
export function decodeKey(map: MapName, key: Uint8Array): PortKey {
  const bytes = { any4: 0, any6: 0, at4: 4, at6: 16 }[map];
  const protocol = (Object.keys(NUMBERS) as Protocol[]).find((name) => NUMBERS[name] === key[0]);
  if (key.length < 8 + bytes || protocol === undefined)
    throw new TsboxError('BAD_NETLINK', `the map ${map} of the table inet tsbox has a key that is not ours`);
  const port = fields(key).getUint16(4 + bytes);
  if (bytes === 0) return { map, protocol, port };
  return { map, protocol, address: addressOf(key.subarray(4, 4 + bytes)), port };
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
