import { killContainer } from '../index.ts';
import { defineCommand } from './command.ts';
import { forEachName } from './each.ts';
import { print } from './output.ts';

/** `tsbox kill` */
export async function kill(args: string[]): Promise<number> {
  const command = defineCommand({
    usage: 'kill [OPTIONS] CONTAINER…',
    description: 'Send a signal to the programs of containers that run: SIGKILL, or another.',
    examples: [
      ['tsbox kill web', 'it ends at once'],
      ['tsbox kill -s HUP web', 'it reads its configuration again, perhaps'],
    ],
  })
    .argument('<container...>')
    .option('-s, --signal <signal>', 'Which one', 'KILL')
    .parse(args, { from: 'user' });
  const { signal } = command.opts<{ signal: string }>();
  return forEachName(command.args, async (name) => {
    await killContainer(name, signal);
    print(`${name}\n`);
  });
}
