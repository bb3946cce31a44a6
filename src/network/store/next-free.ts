import { closeSync, existsSync, openSync, readSync, writeSync } from 'node:fs';
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
import { networkPaths } from './paths.ts';
import { isReserved } from './subnets.ts';

/**
 * Takes the next address of a subnet that nobody has, from the one that was given last: who lost an address is spoken to for a while by those who do not
 * know that yet. It looks at a few only, and not before these are taken at the list of all. Call it under the network's lock.
 *
 * @param cursors the open file of the network's lock, which holds what was given last
 * @returns undefined where there is none
 */
export function nextFree(network: string, subnet: Subnet, id: string, cursors: number): string | undefined {
  const pool = poolOf(subnet);
  let tried = 0;
  let known: Set<string> | undefined;
  for (const address of candidates(subnet, pool, cursors)) {
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

/** What `nextFree` would take now, without the lock. The network may not be made yet. */
export function likelyNext(network: string, subnet: Subnet): string | undefined {
  const known = new Set(takenNames(network));
  const { lock } = networkPaths(network);
  const cursors = existsSync(lock) ? openSync(lock, 'r') : undefined;
  try {
    for (const address of candidates(subnet, poolOf(subnet), cursors)) {
      const text = formatAddress(address);
      if (!known.has(text)) return text;
    }
    return undefined;
  } finally {
    if (cursors !== undefined) closeSync(cursors);
  }
}

function candidates(subnet: Subnet, pool: Prefix, cursors: number | undefined): Generator<Address> {
  const prefix = parsePrefix(subnet.subnet);
  const others = new Set([subnet.gateway, ...Object.values(subnet.auxiliaryAddresses ?? {})]);
  const start = cursors === undefined ? 0n : cursorOf(cursors, pool) + 1n;
  return following(
    start,
    pool,
    (address) => !isReserved(prefix, address) && !others.has(formatAddress(address)),
  );
}

function poolOf({ subnet, range }: Subnet): Prefix {
  return parsePrefix(range ?? subnet);
}

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
