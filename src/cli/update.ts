import { type UpdateOptions, updateContainer } from '../index.ts';
import { defineCommand } from './command.ts';
import { forEachName } from './each.ts';
import { print } from './output.ts';
import { optionOf, readOptions } from './run/arguments.ts';
import { RUN_FLAGS } from './run/flags.ts';
import { usageError } from './usage.ts';

/** `tsbox update` */
export async function update(args: string[]): Promise<number> {
  const command = defineCommand({
    usage: 'update [OPTIONS] CONTAINER…',
    description: 'Change the limits of containers, at once where they run, and their restart policy.',
    examples: [
      ['tsbox update -m 256m --cpus 1.5 web', 'more or less of both'],
      ['tsbox update --restart always web', 'from now on'],
    ],
  }).argument('<container...>');
  for (const name of CHANGEABLE) command.addOption(optionOf(RUN_FLAGS[name]));
  command.parse(args, { from: 'user' });
  const changes = readOptions(command.opts(), CHANGEABLE);
  if (Object.keys(changes).length === 0)
    throw usageError('update', 'nothing to change: give one or more of the options');
  return forEachName(command.args, async (name) => {
    await updateContainer(name, changes);
    print(`${name}\n`);
  });
}

const CHANGEABLE = [
  'memory',
  'memoryReservation',
  'memorySwap',
  'cpus',
  'cpuShares',
  'cpuWeight',
  'cpuPeriod',
  'cpuQuota',
  'cpusetCpus',
  'cpusetMems',
  'pidsLimit',
  'blkioWeight',
  'restart',
] as const satisfies readonly (keyof UpdateOptions)[];
