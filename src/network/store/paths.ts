import { join, resolve } from 'node:path';
import { storeRoot } from '../../kernel/store-root.ts';

/** One directory a network, by name. */
export function networksDirectory(): string {
  return join(resolve(storeRoot()), 'networks');
}

/** `network.json`, `lock` and `addresses/`, one symbolic link to the container's id for each address that is taken. */
export function networkPaths(name: string): {
  directory: string;
  file: string;
  lock: string;
  addresses: string;
} {
  const directory = join(networksDirectory(), name);
  return {
    directory,
    file: join(directory, 'network.json'),
    lock: join(directory, 'lock'),
    addresses: join(directory, 'addresses'),
  };
}
