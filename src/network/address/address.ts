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
 * of a subnet needs none. Not by `node:net`, which takes 5 ms to load.
 */
export function parseAddress(text: string): Address | undefined {
  if (text.length > LONGEST) return undefined;
  const value = text.includes(':') ? valueOfIpv6(text) : valueOfIpv4(text);
  return value === undefined ? undefined : { family: text.includes(':') ? 6 : 4, value };
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

function valueOfIpv4(text: string): bigint | undefined {
  const bytes = text.split('.');
  if (bytes.length !== 4 || !bytes.every((byte) => /^(0|[1-9]\d{0,2})$/.test(byte) && Number(byte) < 256))
    return undefined;
  return bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

/** RFC 4291, 2.2: eight groups, `::` once for one or more that are 0, the last two perhaps as IPv4. */
function valueOfIpv6(text: string): bigint | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half, at) => groupsOf(half, at === halves.length - 1));
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  const missing = 8 - head.length - (tail?.length ?? 0);
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...Array<bigint>(missing).fill(0n), ...(tail ?? [])];
  return groups.reduce((value, group) => (value << 16n) | group, 0n);
}

function groupsOf(half: string, isLast: boolean): bigint[] | undefined {
  if (half === '') return [];
  const groups: bigint[] = [];
  const words = half.split(':');
  for (const [at, word] of words.entries()) {
    const ipv4 = isLast && at === words.length - 1 && word.includes('.') ? valueOfIpv4(word) : undefined;
    if (ipv4 !== undefined) groups.push(ipv4 >> 16n, ipv4 & 0xffffn);
    else if (/^[0-9a-fA-F]{1,4}$/.test(word)) groups.push(BigInt(`0x${word}`));
    else return undefined;
  }
  return groups;
}

/** Eight groups of four digits with the last two as IPv4. */
const LONGEST = 45;

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
