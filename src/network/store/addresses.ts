import { readdirSync, readlinkSync, symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { networkPaths } from './paths.ts';

/** An address and the id of the container that has it. */
export interface LeasedAddress {
  address: string;
  id: string;
}

/** All that are taken in a network. */
export function leasedAddresses(network: string): LeasedAddress[] {
  return takenNames(network).flatMap((address) => {
    const id = holderOf(network, address);
    return id === undefined ? [] : [{ address, id }];
  });
}

export function takenNames(network: string): string[] {
  try {
    return readdirSync(networkPaths(network).addresses);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/**
 * Gives an address to a container, in one step that fails where somebody has it: also without a lock, and after `kill -9`, nobody else gets it.
 *
 * @returns undefined where it has it now; otherwise the id of who has it
 */
export function takeAddress(network: string, address: string, id: string): string | undefined {
  const path = join(networkPaths(network).addresses, address);
  try {
    symlinkSync(id, path);
    return undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const holder = holderOf(network, address) ?? '';
    return holder === id ? undefined : holder;
  }
}

/** Only if it is this container's. Call it under the network's lock. */
export function freeAddress(network: string, address: string, id: string): void {
  if (holderOf(network, address) !== id) return;
  try {
    unlinkSync(join(networkPaths(network).addresses, address));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** Undefined where nobody has it. */
export function holderOf(network: string, address: string): string | undefined {
  try {
    return readlinkSync(join(networkPaths(network).addresses, address));
  } catch {
    return undefined;
  }
}
