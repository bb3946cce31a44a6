import { removeVolume } from '../index.ts';
import { defineCommand } from './command.ts';
import { forEachName } from './each.ts';
import { print } from './output.ts';

/** `tsbox volume rm` */
export async function volumeRm(args: string[]): Promise<number> {
  const command = defineCommand({
    usage: 'volume rm [OPTIONS] VOLUME…',
    description: 'Remove volumes with what is in them. One that a container has stays.',
    examples: [['tsbox volume rm data', 'one that no container has']],
  })
    .argument('<volume...>')
    .option('-f, --force', 'Say nothing of those that are not there')
    .parse(args, { from: 'user' });
  const { force = false } = command.opts<{ force?: boolean }>();
  return forEachName(command.args, async (name) => {
    await removeVolume(name, { force });
    print(`${name}\n`);
  });
}
