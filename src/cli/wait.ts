import { waitForContainer } from '../index.ts';
import { defineCommand } from './command.ts';
import { forEachName } from './each.ts';
import { print } from './output.ts';

/** `tsbox wait` */
export async function wait(args: string[]): Promise<number> {
  const command = defineCommand({
    usage: 'wait CONTAINER…',
    description: 'Wait until containers have ended, and print their exit codes.',
    examples: [['tsbox wait job', 'prints 0 if all went well']],
  })
    .argument('<container...>')
    .parse(args, { from: 'user' });
  return forEachName(command.args, async (name) => {
    const { code } = await waitForContainer(name);
    print(`${code}\n`);
  });
}
