import type { Address } from './address.ts';

/**
 * An Ethernet address as the kernel writes it: `02:42:0a:57:00:02`. Undefined for what is none that an interface can have: all zeros, and a group's address
 * (the lowest bit of the first byte; IEEE 802, and is_valid_ether_addr of the kernel).
 */
export function parseMac(text: string): string | undefined {
  if (!/^[0-9a-f]{2}([:-])[0-9a-f]{2}(\1[0-9a-f]{2}){4}$/i.test(text)) return undefined;
  const mac = text.toLowerCase().replaceAll('-', ':');
  if (mac === '00:00:00:00:00:00' || Number.parseInt(mac.slice(0, 2), 16) & 1) return undefined;
  return mac;
}

/**
 * The one that belongs to an IPv4 address: `02:42` (locally administered, as Docker has it) and the four bytes. So two containers never have the
 * same one in a network, and who gets an address after another is found at once by those who remember that other one.
 */
export function macOf({ value }: Address): string {
  const bytes = [0x02, 0x42, ...[24n, 16n, 8n, 0n].map((shift) => Number((value >> shift) & 0xffn))];
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}
