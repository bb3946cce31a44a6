import { runGroup, type Subcommand } from './group.ts';

/** `tsbox volume` */
export function volume(args: string[]): Promise<number> {
  return runGroup(
    'volume',
    'Work with volumes: directories that outlive containers.',
    VOLUME_COMMANDS,
    args,
    [
      ['tsbox volume create data', 'a volume with a name'],
      ['tsbox run -v data:/var/lib/db db', 'a container that keeps its files in it'],
    ],
  );
}

export const VOLUME_COMMANDS: Record<string, Subcommand> = {
  create: {
    summary: 'Make a volume',
    run: async (args) => (await import('./volume-create.ts')).volumeCreate(args),
  },
  inspect: {
    summary: 'Show all that is known of volumes',
    run: async (args) => (await import('./volume-inspect.ts')).volumeInspect(args),
  },
  ls: {
    summary: 'List volumes',
    aliases: ['list'],
    run: async (args) => (await import('./volume-ls.ts')).volumeLs(args),
  },
  prune: {
    summary: 'Remove volumes that no container has',
    run: async (args) => (await import('./volume-prune.ts')).volumePrune(args),
  },
  rm: {
    summary: 'Remove volumes',
    aliases: ['remove'],
    run: async (args) => (await import('./volume-rm.ts')).volumeRm(args),
  },
};
