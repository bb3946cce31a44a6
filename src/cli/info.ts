import { type Info, info, listContainers, listImages } from '../index.ts';
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
  const facts = { ...info(), containers: containers(), images: attempt(() => listImages().length) };
  if (format === 'json') print(`${JSON.stringify(facts, null, 2)}\n`);
  else
    print(
      lines(facts)
        .map(([name, value]) => `${`${name}:`.padEnd(20)} ${safe(value)}\n`)
        .join(''),
    );
  return 0;
}

interface Facts extends Info {
  containers: { total: number; running: number } | undefined;
  images: number | undefined;
}

function containers(): Facts['containers'] {
  const records = attempt(listContainers);
  return (
    records && { total: records.length, running: records.filter(({ status }) => status === 'running').length }
  );
}

/** Only root may read the store, and the rest is worth knowing without it. */
function attempt<T>(count: () => T): T | undefined {
  try {
    return count();
  } catch {
    return undefined;
  }
}

function lines(facts: Facts): [name: string, value: string][] {
  const { containers, cgroup } = facts;
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
      containers
        ? `${containers.running} running, ${containers.total - containers.running} not running`
        : 'not known: the store cannot be read',
    ],
    ['Images', facts.images === undefined ? 'not known: the store cannot be read' : String(facts.images)],
    ['Store', facts.store],
    [
      'cgroup v2',
      cgroup.mount === undefined ? 'not mounted' : `${cgroup.mount}${cgroup.hybrid ? ' (hybrid)' : ''}`,
    ],
    ['Controllers', cgroup.controllers.join(' ') || 'none'],
    ['Root', facts.root ? 'yes' : 'no'],
  ];
}
