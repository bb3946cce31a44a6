import { removeNetwork } from '../index.ts';
import { defineCommand } from './command.ts';
import { forEachName } from './each.ts';
import { print } from './output.ts';

/** `tsbox network rm` */
export async function networkRm(args: string[]): Promise<number> {
  const command = defineCommand({
    usage: 'network rm [OPTIONS] NETWORK…',
    description: 'Remove networks. One that a container is in stays.',
    examples: [['tsbox network rm backend', 'one that no container is in']],
  })
    .argument('<network...>')
    .option('-f, --force', 'Say nothing of those that are not there')
    .parse(args, { from: 'user' });
  const { force = false } = command.opts<{ force?: boolean }>();
  const exitCode = await forEachName(command.args, async (name) => {
    await removeNetwork(name, { force });
    print(`${name}\n`);
  });
  return exitCode === 0 ? 0 : 1;
}
