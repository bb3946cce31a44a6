import { pruneVolumes } from '../index.ts';
import { collect, defineCommand } from './command.ts';
import { confirm } from './confirm.ts';
import { print } from './output.ts';
import { decimalSize } from './units.ts';
import { readVolumeFilters } from './volume-filters.ts';

/** `tsbox volume prune` */
export async function volumePrune(args: string[]): Promise<number> {
  const {
    all = false,
    filter,
    force,
  } = defineCommand({
    usage: 'volume prune [OPTIONS]',
    description: 'Remove the volumes without a name that no container has.',
    examples: [
      ['tsbox volume prune', 'those that nobody named'],
      ['tsbox volume prune -af', 'those with names too, without asking'],
    ],
  })
    .option('-a, --all', 'Remove those with names too')
    .option('--filter <key=value>', 'label=KEY[=VALUE] or label!=KEY[=VALUE]', collect)
    .option('-f, --force', 'Do not ask')
    .parse(args, { from: 'user' })
    .opts<{ all?: boolean; filter?: string[]; force?: boolean }>();
  const filters = readVolumeFilters('volume prune', filter ?? [], ['label', 'label!']);
  const what = all ? 'all' : 'anonymous';
  if (
    !force &&
    !confirm(`WARNING! This will remove ${what} local volumes not used by at least one container.`)
  )
    return 0;
  const { deleted, reclaimed } = await pruneVolumes({ all, filters });
  if (deleted.length > 0) print(`Deleted Volumes:\n${deleted.join('\n')}\n\n`);
  print(`Total reclaimed space: ${decimalSize(reclaimed)}\n`);
  return 0;
}
