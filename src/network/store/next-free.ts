import { readSync, writeSync } from 'node:fs';
import {
  type Address,
  formatAddress,
  nthAddress,
  type Prefix,
  parsePrefix,
  sizeOf,
} from '../address/index.ts';
import { takeAddress, takenNames } from './addresses.ts';
import type { Subnet } from './network.ts';
import { isReserved } from './subnets.ts';

/**
 * Takes the next address of a subnet that nobody has, from the one that was given last: who lost an address is spoken to for a while by those who do not
 * know that yet. It looks at a few only, and not before these are taken at the list of all. Call it under the network's lock.
 *
 * @param cursors the open file of the network's lock, which holds what was given last
 * @returns undefined where there is none
 */
export function nextFree(network: string, subnet: Subnet, id: string, cursors: number): string | undefined {
  const prefix = parsePrefix(subnet.subnet);
  const pool = subnet.range === undefined ? prefix : parsePrefix(subnet.range);
  const candidates = following(cursorOf(cursors, pool) + 1n, pool, (address) =>
    isUsable(prefix, subnet, address),
  );
  let tried = 0;
  let known: Set<string> | undefined;
  for (const address of candidates) {
    const text = formatAddress(address);
    if (known?.has(text) !== true && takeAddress(network, text, id) === undefined) {
      writeCursor(cursors, pool, address);
      return text;
    }
    tried++;
    if (tried === FEW) known = new Set(takenNames(network));
  }
  return undefined;
}

const FEW = 8;

/** All that can be had, from the one after the last one on, around to it. */
function* following(
  start: bigint,
  pool: Prefix,
  isUsable: (address: Address) => boolean,
): Generator<Address> {
  const size = sizeOf(pool);
  for (let at = 0n; at < size; at++) {
    const address = nthAddress(pool, (start + at) % size);
    if (isUsable(address)) yield address;
  }
}

function isUsable(prefix: Prefix, { gateway }: Subnet, address: Address): boolean {
  return !isReserved(prefix, address) && formatAddress(address) !== gateway;
}

/** The one that was given last, counted from the pool's first; -1 where none was. It is a hint: whatever the file says, no address is given twice. */
function cursorOf(cursors: number, pool: Prefix): bigint {
  const bytes = Buffer.alloc(LENGTH);
  readSync(cursors, bytes, 0, LENGTH, placeOf(pool));
  const text = bytes.toString('latin1').trim();
  return /^\d{1,39}$/.test(text) ? BigInt(text) % sizeOf(pool) : -1n;
}

/** In place: a file that is written anew costs a hundred times as much. */
function writeCursor(cursors: number, pool: Prefix, { value }: Address): void {
  writeSync(cursors, `${value - pool.value}`.padEnd(LENGTH - 1).concat('\n'), placeOf(pool), 'latin1');
}

/** A line for IPv4, and one for IPv6. */
function placeOf({ family }: Prefix): number {
  return family === 4 ? 0 : LENGTH;
}

/** 2^128 has 39 digits. */
const LENGTH = 40;
