import { join, resolve } from 'node:path';

/** One directory a network, by name. Below `TSBOX_ROOT`, else /var/lib/tsbox; read at each use, so that a program can change it. */
export function networksDirectory(): string {
  return join(resolve(process.env.TSBOX_ROOT || '/var/lib/tsbox'), 'networks');
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
