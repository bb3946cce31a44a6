import { createNetwork } from '../index.ts';
import { collect, defineCommand } from './command.ts';
import { print } from './output.ts';
import { pair } from './pair.ts';
import { usageError } from './usage.ts';

/** `tsbox network create` */
export async function networkCreate(args: string[]): Promise<number> {
  const command = defineCommand({
    usage: 'network create [OPTIONS] NETWORK',
    description: 'Make a network, and print its ID. Its containers find each other by name.',
    examples: [
      ['tsbox network create backend', 'with a subnet that is free'],
      ['tsbox network create --subnet 10.5.0.0/24 --internal db', 'with this one, and without a way out'],
      [
        'tsbox network create -d macvlan --subnet 192.0.2.0/24 -o parent=eth0 lan',
        "in the host's own network",
      ],
    ],
  })
    .argument('<network>')
    .option('-d, --driver <driver>', 'bridge (default), macvlan or ipvlan')
    .option('--subnet <subnet>', 'Its addresses: 10.5.0.0/24; again for IPv6', collect)
    .option('--gateway <address>', "The host's own in the subnet (default: the first)", collect)
    .option('--ip-range <subnet>', 'The part of the subnet that addresses are taken from', collect)
    .option('--aux-address <name=address>', 'One that no container is given: router=10.5.0.7', collect)
    .option('--ipv6', 'IPv6 too')
    .option('--internal', 'Without a way out')
    .option('-o, --opt <key=value>', 'Of the driver: mtu=1400, parent=eth0, …', collect)
    .option('--label <key[=value]>', 'Note something about the network', collect)
    .option('--attachable', 'Changes nothing: containers can always be taken into it')
    .parse(args, { from: 'user' });
  const {
    driver,
    subnet,
    gateway,
    ipRange,
    ipv6,
    internal,
    auxAddress,
    opt = [],
    label = [],
  } = command.opts<Given>();
  const { id } = await createNetwork(command.args[0] ?? '', {
    ...(driver !== undefined && { driver }),
    ...(subnet !== undefined && { subnets: subnet }),
    ...(gateway !== undefined && { gateways: gateway }),
    ...(ipRange !== undefined && { ipRanges: ipRange }),
    ...(auxAddress !== undefined && { auxiliaryAddresses: readAuxiliary(auxAddress) }),
    ...(ipv6 !== undefined && { ipv6 }),
    ...(internal !== undefined && { internal }),
    options: Object.fromEntries(opt.map((each) => pair('network create', '--opt', each))),
    labels: Object.fromEntries(label.map((each) => pair('network create', '--label', each))),
  });
  print(`${id}\n`);
  return 0;
}

interface Given {
  driver?: string;
  subnet?: string[];
  gateway?: string[];
  ipRange?: string[];
  auxAddress?: string[];
  ipv6?: boolean;
  internal?: boolean;
  opt?: string[];
  label?: string[];
}

/** Of two of one name Docker forgets the first, which would then be given to a container. */
function readAuxiliary(given: readonly string[]): Record<string, string> {
  const pairs = new Map<string, string>();
  for (const each of given) {
    const [name, address] = pair('network create', '--aux-address', each);
    if (pairs.has(name))
      throw usageError('network create', `--aux-address ${JSON.stringify(each)}: the name is given twice`);
    pairs.set(name, address);
  }
  return Object.fromEntries(pairs);
}
