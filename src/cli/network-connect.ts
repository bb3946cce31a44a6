import { Option } from 'commander';
import { connectNetwork } from '../index.ts';
import { collect, defineCommand } from './command.ts';
import { usageError } from './usage.ts';

/** `tsbox network connect` */
export async function networkConnect(args: string[]): Promise<number> {
  const command = defineCommand({
    usage: 'network connect [OPTIONS] NETWORK CONTAINER',
    description: 'Take a container into one more network, at once and whenever it starts.',
    examples: [
      ['tsbox network connect backend web', 'with an address that is free'],
      ['tsbox network connect --ip 10.5.0.9 --alias db backend web', 'with these'],
    ],
  })
    .argument('<network>')
    .argument('<container>')
    .option('--ip <address>', 'Its address there')
    .option('--ip6 <address>', 'The same for IPv6')
    .option('--alias <name>', 'A further name that others find it by', collect)
    .option('--mac-address <address>', 'Its Ethernet address there')
    .addOption(notThere('--link <container>', 'containers of one network find each other by name'))
    .addOption(notThere('--link-local-ip <address>', 'addresses are chosen by --ip and --ip6'))
    .parse(args, { from: 'user' });
  const { ip, ip6, alias, macAddress } = command.opts<Given>();
  const [network = '', container = ''] = command.args;
  await connectNetwork(container, network, {
    ...(ip !== undefined && { ip }),
    ...(ip6 !== undefined && { ip6 }),
    ...(alias !== undefined && { aliases: alias }),
    ...(macAddress !== undefined && { mac: macAddress }),
  });
  return 0;
}

interface Given {
  ip?: string;
  ip6?: string;
  alias?: string[];
  macAddress?: string;
}

function notThere(flags: string, instead: string): Option {
  return new Option(flags).hideHelp().argParser(() => {
    throw usageError('network connect', `${flags.split(' ', 1)[0]} is not supported; ${instead}`);
  });
}
