import { listVolumes, type Volume } from '../index.ts';
import { collect, defineCommand } from './command.ts';
import { type Columns, formatRows, type Row } from './format.ts';
import { print } from './output.ts';
import { withLabels } from './row-labels.ts';
import { readVolumeFilters } from './volume-filters.ts';

const COLUMNS: Columns = [
  ['DRIVER', 'Driver'],
  ['VOLUME NAME', 'Name'],
];

/** `tsbox volume ls` */
export async function volumeLs(args: string[]): Promise<number> {
  const { filter, format, quiet } = defineCommand({
    usage: 'volume ls [OPTIONS]',
    description: 'List volumes.',
    examples: [
      ['tsbox volume ls', 'a table'],
      ['tsbox volume ls -q --filter dangling=true', 'names of those that no container has'],
    ],
  })
    .option('-f, --filter <key=value>', 'dangling=true, driver=local, label=KEY[=VALUE], name=PART', collect)
    .option('--format <format>', 'json, or text with {{.Name}} in it')
    .option('-q, --quiet', 'Print only the names')
    .parse(args, { from: 'user' })
    .opts<{ filter?: string[]; format?: string; quiet?: boolean }>();
  const filters = readVolumeFilters('volume ls', filter ?? [], ['dangling', 'driver', 'label', 'name']);
  const volumes = await listVolumes(filters);
  print(
    quiet
      ? volumes.map(({ name }) => `${name}\n`).join('')
      : formatRows('volume ls', COLUMNS, volumes.map(volumeRow), format),
  );
  return 0;
}

export function volumeRow(volume: Volume): Row {
  const row: Row = {
    Availability: 'N/A',
    Driver: volume.driver,
    Group: 'N/A',
    Labels: Object.entries(volume.labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
    Links: 'N/A',
    Mountpoint: volume.mountpoint,
    Name: volume.name,
    Scope: 'local',
    Size: 'N/A',
    Status: 'N/A',
  };
  return withLabels(row, volume.labels);
}
