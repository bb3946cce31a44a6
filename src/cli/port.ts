import { publishedPorts } from '../index.ts';
import { defineCommand } from './command.ts';
import { print } from './output.ts';

/** `tsbox port` */
export async function port(args: string[]): Promise<number> {
  const command = defineCommand({
    usage: 'port CONTAINER [PORT[/PROTOCOL]]',
    description: 'List the ports of a container that can be reached through the host.',
    examples: [
      ['tsbox port web', 'all of them'],
      ['tsbox port web 80/tcp', 'where one is'],
    ],
  })
    .argument('<container>')
    .argument('[port]')
    .parse(args, { from: 'user' });
  const [container = '', wanted] = command.args;
  print((await publishedPorts(container, wanted)).map((line) => `${line}\n`).join(''));
  return 0;
}
