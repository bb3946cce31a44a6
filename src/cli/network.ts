import { runGroup, type Subcommand } from './group.ts';

/** `tsbox network` */
export function network(args: string[]): Promise<number> {
  return runGroup(
    'network',
    'Work with networks, in which containers find each other by name.',
    NETWORK_COMMANDS,
    args,
    [
      ['tsbox network create backend', 'a network of your own'],
      ['tsbox run -d --network backend --name db db', 'a container in it'],
      ['tsbox run --rm --network backend alpine nc db 5432', 'another one, which finds the first'],
    ],
  );
}

export const NETWORK_COMMANDS: Record<string, Subcommand> = {
  connect: {
    summary: 'Take a container into a network',
    run: async (args) => (await import('./network-connect.ts')).networkConnect(args),
  },
  create: {
    summary: 'Make a network',
    run: async (args) => (await import('./network-create.ts')).networkCreate(args),
  },
  disconnect: {
    summary: 'Take a container out of a network',
    run: async (args) => (await import('./network-disconnect.ts')).networkDisconnect(args),
  },
  inspect: {
    summary: 'Show all that is known of networks',
    run: async (args) => (await import('./network-inspect.ts')).networkInspect(args),
  },
  ls: {
    summary: 'List networks',
    aliases: ['list'],
    run: async (args) => (await import('./network-ls.ts')).networkLs(args),
  },
  prune: {
    summary: 'Remove networks that no container is in',
    run: async (args) => (await import('./network-prune.ts')).networkPrune(args),
  },
  rm: {
    summary: 'Remove networks',
    aliases: ['remove'],
    run: async (args) => (await import('./network-rm.ts')).networkRm(args),
  },
};
