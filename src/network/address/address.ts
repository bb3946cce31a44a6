import { isIPv4, isIPv6 } from 'node:net';

/** An address as a number of 32 or 128 bits. */
export interface Address {
  family: 4 | 6;
  value: bigint;
}

/** How many bits an address of a family has. */
export function bitsOf(family: 4 | 6): number {
  return family === 4 ? 32 : 128;
}

/**
 * Undefined for what is no address. Decimal IPv4 without leading zeros, which others read as octal (CVE-2021-29923), and IPv6 without a zone: an address
 * of a subnet needs none.
 */
export function parseAddress(text: string): Address | undefined {
  if (isIPv4(text)) return { family: 4, value: valueOfBytes(text.split('.').map(Number)) };
  if (!isIPv6(text) || text.includes('%')) return undefined;
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  if (dotted === null) return { family: 6, value: valueOfGroups(text) };
  const low = Number(valueOfBytes((dotted[2] as string).split('.').map(Number)));
  return {
    family: 6,
    value: valueOfGroups(`${dotted[1]}${(low >>> 16).toString(16)}:${(low & 0xffff).toString(16)}`),
  };
}

/** As RFC 5952 has them: the shortest form, in lower case. */
export function formatAddress({ family, value }: Address): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join('.');
  const groups = Array.from({ length: 8 }, (_, at) => Number((value >> BigInt(112 - 16 * at)) & 0xffffn));
  const { start, length } = longestZeros(groups);
  const words = groups.map((group) => group.toString(16));
  if (length < 2) return words.join(':');
  return `${words.slice(0, start).join(':')}::${words.slice(start + length).join(':')}`;
}

/** The same address in the one form that is compared and kept. Undefined for what is no address. */
export function normalAddress(text: string): string | undefined {
  const address = parseAddress(text);
  return address === undefined ? undefined : formatAddress(address);
}

function valueOfBytes(bytes: readonly number[]): bigint {
  return bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

/** Of text that is known to be IPv6, all in groups. */
function valueOfGroups(text: string): bigint {
  const [before = '', after] = text.split('::', 2);
  const head = before === '' ? [] : before.split(':');
  const tail = after === undefined || after === '' ? [] : after.split(':');
  const middle = after === undefined ? 0 : 8 - head.length - tail.length;
  const groups = [...head, ...Array<string>(middle).fill('0'), ...tail];
  return groups.reduce((value, group) => (value << 16n) | BigInt(Number.parseInt(group, 16)), 0n);
}

/** The first of the longest runs of zeros: what `::` stands for. */
function longestZeros(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let length = 0;
    while (groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  return best;
}
