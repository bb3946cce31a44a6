import { COMMANDS } from './commands.ts';
import { runGroup, type Subcommand } from './group.ts';

/** `tsbox container`: the commands for containers, by the names that Docker has for them. */
export function container(args: string[]): Promise<number> {
  return runGroup('container', 'Work with containers.', CONTAINER_COMMANDS, args, [
    ['tsbox container prune', 'remove those that do not run'],
    ['tsbox container ls -a', 'the same as tsbox ps -a'],
  ]);
}

/** The same command as the one without `container`. */
function same(name: string): Subcommand {
  return {
    summary: COMMANDS[name]?.summary ?? '',
    run: async (args) => await (COMMANDS[name] as (typeof COMMANDS)[string]).run(args),
  };
}

const NAMES =
  'attach commit cp create diff exec export inspect kill logs pause port rename restart run start stats stop top unpause update wait';

export const CONTAINER_COMMANDS: Record<string, Subcommand> = {
  ...Object.fromEntries(
    NAMES.split(' ')
      .filter((name) => Object.hasOwn(COMMANDS, name))
      .map((name) => [name, same(name)]),
  ),
  ls: { ...same('ps'), aliases: ['list', 'ps'] },
  prune: {
    summary: 'Remove the containers that do not run',
    run: async (args) => (await import('./container-prune.ts')).containerPrune(args),
  },
  rm: { ...same('rm'), aliases: ['remove'] },
};
