import { renameContainer } from '../index.ts';
import { defineCommand } from './command.ts';

/** `tsbox rename` */
export async function rename(args: string[]): Promise<number> {
  const command = defineCommand({
    usage: 'rename CONTAINER NEW_NAME',
    description: 'Give a container another name.',
    examples: [['tsbox rename brave_pilot web', 'it may run meanwhile']],
  })
    .argument('<container>')
    .argument('<new-name>')
    .parse(args, { from: 'user' });
  const [container = '', name = ''] = command.args;
  await renameContainer(container, name);
  return 0;
}
