import { pauseContainer, unpauseContainer } from '../index.ts';
import { defineCommand } from './command.ts';
import { forEachName } from './each.ts';
import { print } from './output.ts';

/** `tsbox pause` */
export async function pause(args: string[]): Promise<number> {
  const command = defineCommand({
    usage: 'pause CONTAINER…',
    description: 'Hold all processes of containers still. They keep their memory, and can be killed.',
    examples: [['tsbox pause web', 'until `tsbox unpause web`']],
  })
    .argument('<container...>')
    .parse(args, { from: 'user' });
  return forEachName(command.args, async (name) => {
    await pauseContainer(name);
    print(`${name}\n`);
  });
}

/** `tsbox unpause` */
export async function unpause(args: string[]): Promise<number> {
  const command = defineCommand({
    usage: 'unpause CONTAINER…',
    description: 'Let paused containers go on.',
    examples: [['tsbox unpause web', 'one']],
  })
    .argument('<container...>')
    .parse(args, { from: 'user' });
  return forEachName(command.args, async (name) => {
    await unpauseContainer(name);
    print(`${name}\n`);
  });
}
