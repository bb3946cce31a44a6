import { stopContainer } from '../index.ts';
import { defineCommand } from './command.ts';
import { forEachName } from './each.ts';
import { print } from './output.ts';
import { seconds } from './seconds.ts';

/** `tsbox stop` */
export async function stop(args: string[]): Promise<number> {
  const command = defineCommand({
    usage: 'stop [OPTIONS] CONTAINER…',
    description: 'Ask containers to end, and kill those that do not in time.',
    examples: [
      ['tsbox stop web', 'after ten seconds, or its own --stop-timeout, it is killed'],
      ['tsbox stop -t 60 db', 'it has a minute'],
    ],
  })
    .argument('<container...>')
    .option('-t, --timeout <seconds>', 'How long they have until SIGKILL; -1 for ever')
    .option('-s, --signal <signal>', 'What to send instead of their stop signal')
    .parse(seconds.respell(args), { from: 'user' });
  const { timeout, signal } = command.opts<{ timeout?: string; signal?: string }>();
  const options = { ...seconds.read('stop', timeout), ...(signal !== undefined && { signal }) };
  return forEachName(command.args, async (name) => {
    await stopContainer(name, options);
    print(`${name}\n`);
  });
}
