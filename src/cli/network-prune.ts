import { pruneNetworks } from '../index.ts';
import { collect, defineCommand } from './command.ts';
import { confirm } from './confirm.ts';
import { readNetworkFilters } from './network-filters.ts';
import { print } from './output.ts';

/** `tsbox network prune` */
export async function networkPrune(args: string[]): Promise<number> {
  const { filter, force } = defineCommand({
    usage: 'network prune [OPTIONS]',
    description: 'Remove the networks that no container is in, or would be in once it is started.',
    examples: [['tsbox network prune -f', 'without asking']],
  })
    .option('--filter <key=value>', 'until=TIME, label=KEY[=VALUE] or label!=KEY[=VALUE]', collect)
    .option('-f, --force', 'Do not ask')
    .parse(args, { from: 'user' })
    .opts<{ filter?: string[]; force?: boolean }>();
  const filters = readNetworkFilters('network prune', filter ?? [], ['label', 'label!', 'until']);
  const warning = 'WARNING! This will remove all custom networks not used by at least one container.';
  if (!force && !confirm(warning)) return 0;
  const { deleted } = await pruneNetworks(filters);
  if (deleted.length > 0) print(`Deleted Networks:\n${deleted.join('\n')}\n\n`);
  return 0;
}
