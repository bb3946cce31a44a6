import { commitContainer } from '../index.ts';
import { collect, defineCommand } from './command.ts';
import { print } from './output.ts';

/** `tsbox commit` */
export async function commit(args: string[]): Promise<number> {
  const command = defineCommand({
    usage: 'commit [OPTIONS] CONTAINER [NAME[:TAG]]',
    description: 'Make an image of a container: of its image, and of what it has written. Prints its ID.',
    examples: [
      ['tsbox commit web mine:1', 'under a name'],
      [`tsbox commit -c 'CMD ["httpd", "-f"]' web mine`, 'with another command'],
    ],
  })
    .argument('<container>')
    .argument('[name]')
    .option('-a, --author <text>', 'Who made it')
    .option(
      '-c, --change <instruction>',
      'As in a Dockerfile: CMD, ENTRYPOINT, ENV, EXPOSE, USER, VOLUME …',
      collect,
    )
    .option('-m, --message <text>', 'A word for its history')
    .option('-p, --pause', 'Hold the container still meanwhile (default; --pause=false for not)')
    .option('--no-pause', 'Let it go on meanwhile')
    .parse(args.map(plainly), { from: 'user' });
  const { author, change, message, pause } = command.opts<{
    author?: string;
    change?: string[];
    message?: string;
    pause: boolean;
  }>();
  const [container = '', name] = command.args;
  const { id } = await commitContainer(container, name, {
    ...(author !== undefined && { author }),
    ...(message !== undefined && { message }),
    ...(change && { changes: change }),
    pause,
  });
  print(`${id}\n`);
  return 0;
}

/** Docker's way to say no. */
function plainly(word: string): string {
  return word === '--pause=false' ? '--no-pause' : word === '--pause=true' ? '--pause' : word;
}
