import { pruneImages } from '../index.ts';
import { collect, defineCommand } from './command.ts';
import { confirm } from './confirm.ts';
import { readImageFilters } from './image-filters.ts';
import { print } from './output.ts';
import { safe } from './safe.ts';
import { decimalSize } from './units.ts';

/** `tsbox image prune` */
export async function imagePrune(args: string[]): Promise<number> {
  const command = defineCommand({
    usage: 'image prune [OPTIONS]',
    description: 'Remove images that have lost their names and that no container uses.',
    examples: [
      ['tsbox image prune', 'those without a name'],
      ['tsbox image prune -af --filter until=240h', 'all older than ten days that no container uses'],
    ],
  })
    .option('-a, --all', 'Remove all that no container uses')
    .option('--filter <filter>', 'label, label! or until, as KEY=VALUE', collect)
    .option('-f, --force', 'Do not ask')
    .parse(args, { from: 'user' });
  const {
    all = false,
    filter,
    force,
  } = command.opts<{ all?: boolean; filter?: string[]; force?: boolean }>();
  const filters = await readImageFilters('image prune', filter ?? [], ['label', 'label!', 'until']);
  const what = all ? 'all images without at least one container associated to them' : 'all dangling images';
  if (!force && !confirm(`WARNING! This will remove ${what}.`)) return 0;
  const { untagged, deleted, reclaimed } = await pruneImages({ all, filters });
  const lines = [...untagged.map((name) => `untagged: ${name}`), ...deleted.map((id) => `deleted: ${id}`)];
  if (lines.length > 0) print(`Deleted Images:\n${safe(lines.join('\n'))}\n\n`);
  print(`Total reclaimed space: ${decimalSize(reclaimed)}\n`);
  return 0;
}
