import { pruneContainers, pruneImages, pruneNetworks, pruneVolumes } from '../index.ts';
import { collect, defineCommand } from './command.ts';
import { confirm } from './confirm.ts';
import { readImageFilters } from './image-filters.ts';
import { readNetworkFilters } from './network-filters.ts';
import { print } from './output.ts';
import { pruneFilter } from './prune-filter.ts';
import { safe } from './safe.ts';
import { decimalSize } from './units.ts';
import { usageError } from './usage.ts';

/** `tsbox system prune` */
export async function systemPrune(args: string[]): Promise<number> {
  const {
    all = false,
    filter = [],
    force,
    volumes,
  } = defineCommand({
    usage: 'system prune [OPTIONS]',
    description:
      'Remove containers that do not run, networks that no container is in, and images that nobody uses and that have no name.',
    examples: [['tsbox system prune -af --volumes', 'all that is not used, without asking']],
  })
    .option('-a, --all', 'Remove images with a name too')
    .option('--filter <key=value>', 'until=TIME, label=KEY[=VALUE] or label!=KEY[=VALUE]', collect)
    .option('-f, --force', 'Do not ask')
    .option('--volumes', 'Remove volumes without a name too')
    .parse(args, { from: 'user' })
    .opts<{ all?: boolean; filter?: string[]; force?: boolean; volumes?: boolean }>();
  // Volumes have no time of their own; as in Docker.
  if (volumes && filter.some((each) => each.startsWith('until=')))
    throw usageError('system prune', '--filter until cannot be combined with --volumes');
  const fits = pruneFilter('system prune', filter);
  const filters = await readImageFilters('system prune', filter, ['label', 'label!', 'until']);
  const what = [
    '  - all stopped containers',
    '  - all networks not used by at least one container',
    ...(volumes ? ['  - all anonymous volumes not used by at least one container'] : []),
    all ? '  - all images without at least one container associated to them' : '  - all dangling images',
  ];
  if (!force && !confirm(`WARNING! This will remove:\n${what.join('\n')}\n`)) return 0;
  const containers = await pruneContainers(fits);
  if (containers.deleted.length > 0) print(`Deleted Containers:\n${containers.deleted.join('\n')}\n\n`);
  const networks = await pruneNetworks(
    readNetworkFilters('system prune', filter, ['label', 'label!', 'until']),
  );
  if (networks.deleted.length > 0) print(`Deleted Networks:\n${networks.deleted.join('\n')}\n\n`);
  const { label, 'label!': not } = filters;
  const gone = volumes
    ? await pruneVolumes({
        filters: { ...(label && { label: [...label] }), ...(not && { 'label!': [...not] }) },
      })
    : { deleted: [], reclaimed: 0 };
  if (gone.deleted.length > 0) print(`Deleted Volumes:\n${gone.deleted.join('\n')}\n\n`);
  const images = await pruneImages({ all, filters });
  const lines = [
    ...images.untagged.map((name) => `untagged: ${name}`),
    ...images.deleted.map((id) => `deleted: ${id}`),
  ];
  if (lines.length > 0) print(`Deleted Images:\n${safe(lines.join('\n'))}\n\n`);
  print(`Total reclaimed space: ${decimalSize(containers.reclaimed + gone.reclaimed + images.reclaimed)}\n`);
  return 0;
}
