import { disconnectNetwork } from '../index.ts';
import { defineCommand } from './command.ts';

/** `tsbox network disconnect` */
export async function networkDisconnect(args: string[]): Promise<number> {
  const command = defineCommand({
    usage: 'network disconnect [OPTIONS] NETWORK CONTAINER',
    description: 'Take a container out of a network.',
    examples: [['tsbox network disconnect backend web', 'at once, and from now on']],
  })
    .argument('<network>')
    .argument('<container>')
    .option('-f, --force', 'Also what is left there of a container that is gone')
    .parse(args, { from: 'user' });
  const [network = '', container = ''] = command.args;
  const { force } = command.opts<{ force?: boolean }>();
  await disconnectNetwork(container, network, force === undefined ? {} : { force });
  return 0;
}
