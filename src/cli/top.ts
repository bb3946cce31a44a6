import { topProcesses } from '../index.ts';
import { defineCommand } from './command.ts';
import { print } from './output.ts';
import { table } from './table.ts';

/** `tsbox top` */
export async function top(args: string[]): Promise<number> {
  const command = defineCommand({
    usage: 'top CONTAINER [PS OPTIONS]',
    description: 'Show the processes of a container, with their IDs on the host.',
    examples: [
      ['tsbox top web', 'as ps -ef does'],
      ['tsbox top web aux', 'as ps aux does'],
      ['tsbox top web -o pid,rss,cmd', 'some columns'],
    ],
  })
    .argument('<container>')
    .argument('[options...]')
    .passThroughOptions()
    .allowUnknownOption()
    .parse(args, { from: 'user' });
  const [container = '', ...options] = command.args;
  const { titles, processes } = await topProcesses(container, options);
  print(table(titles, processes));
  return 0;
}
