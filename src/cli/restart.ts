import { restartContainer } from '../index.ts';
import { defineCommand } from './command.ts';
import { forEachName } from './each.ts';
import { print } from './output.ts';
import { seconds } from './seconds.ts';

/** `tsbox restart` */
export async function restart(args: string[]): Promise<number> {
  const command = defineCommand({
    usage: 'restart [OPTIONS] CONTAINER…',
    description: 'Stop containers, if they run, and start them again.',
    examples: [['tsbox restart -t 3 web', 'it has three seconds to end']],
  })
    .argument('<container...>')
    .option('-t, --timeout <seconds>', 'How long they have until SIGKILL; -1 for ever')
    .option('-s, --signal <signal>', 'What to send instead of their stop signal')
    .parse(seconds.respell(args), { from: 'user' });
  const { timeout, signal } = command.opts<{ timeout?: string; signal?: string }>();
  const options = { ...seconds.read('restart', timeout), ...(signal !== undefined && { signal }) };
  return forEachName(command.args, async (name) => {
    await restartContainer(name, options);
    print(`${name}\n`);
  });
}
