import { pruneContainers } from '../index.ts';
import { collect, defineCommand } from './command.ts';
import { confirm } from './confirm.ts';
import { print } from './output.ts';
import { pruneFilter } from './prune-filter.ts';
import { decimalSize } from './units.ts';

/** `tsbox container prune` */
export async function containerPrune(args: string[]): Promise<number> {
  const { filter, force } = defineCommand({
    usage: 'container prune [OPTIONS]',
    description: 'Remove the containers that do not run.',
    examples: [['tsbox container prune -f --filter until=24h', 'those older than a day, without asking']],
  })
    .option('--filter <key=value>', 'until=TIME, label=KEY[=VALUE] or label!=KEY[=VALUE]', collect)
    .option('-f, --force', 'Do not ask')
    .parse(args, { from: 'user' })
    .opts<{ filter?: string[]; force?: boolean }>();
  const fits = pruneFilter('container prune', filter ?? []);
  if (!force && !confirm('WARNING! This will remove all stopped containers.')) return 0;
  const { deleted, reclaimed } = await pruneContainers(fits);
  if (deleted.length > 0) print(`Deleted Containers:\n${deleted.join('\n')}\n\n`);
  print(`Total reclaimed space: ${decimalSize(reclaimed)}\n`);
  return 0;
}
