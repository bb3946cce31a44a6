import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { lockWithin, randomHex, removeTree, TsboxError } from '../../kernel/index.ts';
import { didYouMean } from '../../suggest.ts';
import { parsePrefix } from '../address/index.ts';
import { isNetworkName } from './name.ts';
import type { Network } from './network.ts';
import { networkPaths, networksDirectory } from './paths.ts';

/** Does something while nobody else makes or removes a network. @param change must be synchronous */
export function withNetworksLock<T>(change: () => T): T {
  const directory = networksDirectory();
  makeDirectory(directory);
  const lock = lockWithin(directory, 'the directory of networks');
  try {
    return change();
  } finally {
    lock.release();
  }
}

/** Not with `recursive` at once: Node then says ENOENT where the disk is read-only. */
function makeDirectory(directory: string): void {
  try {
    mkdirSync(directory, 0o700);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') mkdirSync(directory, { recursive: true, mode: 0o700 });
    else if (code !== 'EEXIST') throw error;
  }
}

/** Undefined where there is none of that name. @throws {TsboxError} NETWORK_DAMAGED */
export function readNetwork(name: string): Network | undefined {
  if (!isNetworkName(name)) return undefined;
  let text: string;
  try {
    text = readFileSync(networkPaths(name).file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
  try {
    const network = JSON.parse(text) as Network;
    if (network.name === name && isWhole(network)) return network;
  } catch {
    // Below.
  }
  throw new TsboxError('NETWORK_DAMAGED', `network ${name}: ${networkPaths(name).file} is damaged`, {
    advice: `remove the network, and make it again: tsbox network rm -f ${name}`,
  });
}

/** In the order of their names. Those that are damaged are left out. */
export function allNetworks(): Network[] {
  return networkNames()
    .map((name) => {
      try {
        return readNetwork(name);
      } catch {
        return undefined;
      }
    })
    .filter((network) => network !== undefined);
}

/** By name, id, or the beginning of its id; as in Docker, in that order. @throws {TsboxError} NO_NETWORK, AMBIGUOUS_ID, NETWORK_DAMAGED */
export function findMade(nameOrId: string): Network {
  const named = readNetwork(nameOrId);
  if (named !== undefined) return named;
  const alike = /^[0-9a-f]+$/.test(nameOrId) ? allNetworks().filter(({ id }) => id.startsWith(nameOrId)) : [];
  if (alike.length > 1)
    throw new TsboxError(
      'AMBIGUOUS_ID',
      `several networks have an ID that begins with ${nameOrId}: ${alike.map(({ name }) => name).join(', ')}`,
    );
  if (alike[0] !== undefined) return alike[0];
  const shown = /^[\x21-\x7e]{1,80}$/.test(nameOrId) ? nameOrId : JSON.stringify(nameOrId.slice(0, 80));
  const meant = didYouMean(nameOrId, ['bridge', 'host', 'none', ...networkNames()]);
  throw new TsboxError('NO_NETWORK', `no such network: ${shown}${meant}`, {
    advice: '`tsbox network ls` lists them; `tsbox network create` makes one',
  });
}

export function networkNames(): string[] {
  try {
    return readdirSync(networksDirectory()).filter(isNetworkName).sort();
  } catch {
    return [];
  }
}

/** Made aside and renamed: a network is there with all that belongs to it, or not at all. Call it under the lock. */
export function makeNetwork(network: Network): void {
  sweepUnfinished();
  const aside = join(networksDirectory(), `.new-${network.name}`);
  try {
    mkdirSync(join(aside, 'addresses'), { recursive: true, mode: 0o700 });
    writeDurably(join(aside, 'network.json'), `${JSON.stringify(network)}\n`);
    writeDurably(join(aside, 'lock'), '');
    renameSync(aside, networkPaths(network.name).directory);
  } catch (error) {
    // A full disk, as a rule.
    removeTree(aside);
    throw error;
  }
}

/** Without fsync(2), a power cut soon after may leave an empty file under the new name. */
function writeDurably(file: string, text: string): void {
  const fd = openSync(file, 'w', 0o600);
  try {
    writeSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Takes a network out of sight, and removes it. Call it under the lock of all, and its own. */
export function discardNetwork(name: string): void {
  const aside = join(networksDirectory(), `.gone-${randomHex(16)}`);
  renameSync(networkPaths(name).directory, aside);
  removeTree(aside);
}

/** What others left that were killed. Under the lock of all networks there is nobody else who makes or removes one. */
function sweepUnfinished(): void {
  const directory = networksDirectory();
  for (const name of readdirSync(directory))
    if (/^\.(new|gone)-/.test(name)) removeTree(join(directory, name));
}

/** It becomes names of files and interfaces, and what is told to the kernel. */
function isWhole(network: Network): boolean {
  const { id, driver, subnets, options, labels } = network;
  for (const { subnet } of subnets) parsePrefix(subnet);
  return (
    /^[0-9a-f]{64}$/.test(id) &&
    ['bridge', 'macvlan', 'ipvlan'].includes(driver) &&
    /^[^/:%\s]{1,15}$/.test(network.interface) &&
    typeof options === 'object' &&
    typeof labels === 'object'
  );
}
