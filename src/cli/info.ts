import { info } from '../index.ts';
import { defineCommand } from './command.ts';
import { print } from './output.ts';
import { safe } from './safe.ts';
import { binarySize } from './units.ts';
import { usageError } from './usage.ts';

/** `tsbox info` */
export async function infoCommand(args: string[]): Promise<number> {
  const { format } = defineCommand({
    usage: 'info [OPTIONS]',
    description: 'Show what tsbox knows about this machine.',
    examples: [
      ['tsbox info', 'for people'],
      ['tsbox info --format json', 'for programs'],
    ],
  })
    .option('--format <format>', 'json')
    .parse(args, { from: 'user' })
    .opts<{ format?: string }>();
  if (format !== undefined && format !== 'json')
    throw usageError('info', `--format ${format}: the only format is json`);
  const facts = info();
  if (format === 'json') print(`${JSON.stringify(facts, null, 2)}\n`);
  else
    print(
      lines(facts)
        .map(([name, value]) => `${`${name}:`.padEnd(20)} ${safe(value)}\n`)
        .join(''),
    );
  return 0;
}

function lines(facts: ReturnType<typeof info>): [name: string, value: string][] {
  const { containers, cgroup } = facts;
  const stopped = containers === undefined ? 0 : containers.total - containers.running;
  return [
    ['tsbox', facts.version],
    ['Node', facts.node],
    ['Kernel', facts.kernel],
    ['Operating system', facts.operatingSystem],
    ['Architecture', facts.architecture],
    ['Processors', String(facts.processors)],
    ['Memory', binarySize(facts.memory)],
    [
      'Containers',
      containers ? `${containers.running} running, ${stopped} stopped` : 'unknown: the state cannot be read',
    ],
    ['Images', facts.images === undefined ? 'unknown: the store cannot be read' : String(facts.images)],
    ['Store', facts.store],
    ['State', facts.state],
    [
      'Cgroups',
      cgroup.mount === undefined
        ? 'no cgroup v2'
        : `v2 at ${cgroup.mount}${cgroup.hybrid ? ' (hybrid)' : ''}`,
    ],
    ['Cgroup controllers', cgroup.controllers.join(' ') || 'none'],
    ['Runs as root', facts.root ? 'yes' : 'no'],
  ];
}
