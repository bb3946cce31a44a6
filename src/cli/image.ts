import { COMMANDS } from './commands.ts';
import { runGroup, type Subcommand } from './group.ts';

/** `tsbox image`: the commands for images, by the names that Docker has for them. */
export function image(args: string[]): Promise<number> {
  const known = Object.entries(SUBCOMMANDS).filter(
    ([name, { summary }]) => summary !== '' || COMMANDS[name] !== undefined,
  );
  const commands = known.map(([name, command]) => [
    name,
    { ...command, summary: command.summary || COMMANDS[name]?.summary || '' },
  ]);
  return runGroup('image', 'Work with images.', Object.fromEntries(commands), args, [
    ['tsbox image ls', 'the same as tsbox images'],
    ['tsbox image inspect alpine', 'all that is known of one'],
    ['tsbox image prune', 'remove what has lost its name'],
  ]);
}

/** The same command as the one without `image`. */
function same(name: string): Subcommand {
  return {
    summary: COMMANDS[name]?.summary ?? '',
    run: async (args) => await (COMMANDS[name] as (typeof COMMANDS)[string]).run(args),
  };
}

const SUBCOMMANDS: Record<string, Subcommand> = {
  history: same('history'),
  import: same('import'),
  inspect: {
    summary: 'Show all that is known of images',
    run: async (args) => (await import('./image-inspect.ts')).imageInspect(args),
  },
  load: same('load'),
  ls: { ...same('images'), aliases: ['list'] },
  prune: {
    summary: 'Remove images that nobody uses',
    run: async (args) => (await import('./image-prune.ts')).imagePrune(args),
  },
  pull: same('pull'),
  push: same('push'),
  rm: { ...same('rmi'), aliases: ['remove'] },
  save: same('save'),
  tag: same('tag'),
};
