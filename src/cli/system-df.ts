import { type DiskUsage, diskUsage } from '../index.ts';
import { defineCommand } from './command.ts';
import { type Columns, formatRows, type Row } from './format.ts';
import { imageRow } from './images.ts';
import { print } from './output.ts';
import { ago, decimalSize } from './units.ts';
import { usageError } from './usage.ts';

/** `tsbox system df` */
export async function systemDf(args: string[]): Promise<number> {
  const { verbose, format } = defineCommand({
    usage: 'system df [OPTIONS]',
    description: 'Show what images and containers take on the disk, and how much of that nobody uses.',
    examples: [
      ['tsbox system df', 'a table'],
      ['tsbox system df -v', 'each image and container'],
    ],
  })
    .option('--format <format>', 'json, or a Go template with columns like {{.Type}}')
    .option('-v, --verbose', 'Show each image and container')
    .parse(args, { from: 'user' })
    .opts<{ verbose?: boolean; format?: string }>();
  if (verbose && format !== undefined)
    throw usageError('system df', '--verbose and --format cannot be combined');
  const usage = await diskUsage();
  print(verbose ? details(usage) : formatRows('system df', COLUMNS, summary(usage), format));
  return 0;
}

const COLUMNS: Columns = [
  ['TYPE', 'Type'],
  ['TOTAL', 'TotalCount'],
  ['ACTIVE', 'Active'],
  ['SIZE', 'Size'],
  ['RECLAIMABLE', 'Reclaimable'],
];

function summary({ images, containers, layers, unusedLayers, volumes }: DiskUsage): Row[] {
  const size = containers.reduce((sum, each) => sum + each.size, 0);
  const ended = containers.filter(({ record }) => record.status !== 'running' && record.status !== 'paused');
  const active = images.filter((each) => each.containers > 0).length;
  return [
    row('Images', images.length, active, layers, unusedLayers),
    row(
      'Containers',
      containers.length,
      containers.length - ended.length,
      size,
      ended.reduce((sum, each) => sum + each.size, 0),
    ),
    row(
      'Local Volumes',
      volumes.length,
      volumes.filter((each) => each.containers > 0).length,
      volumes.reduce((sum, each) => sum + each.size, 0),
      volumes.filter((each) => each.containers === 0).reduce((sum, each) => sum + each.size, 0),
    ),
  ];
}

function row(type: string, total: number, active: number, size: number, reclaimable: number): Row {
  const percent = size > 0 ? ` (${Math.floor((reclaimable * 100) / size)}%)` : '';
  return {
    Active: String(active),
    Reclaimable: `${decimalSize(reclaimable)}${percent}`,
    Size: decimalSize(size),
    TotalCount: String(total),
    Type: type,
  };
}

function details({ images, containers, volumes }: DiskUsage): string {
  const imageRows = images.map(({ image, shared, unique, containers }) => ({
    ...imageRow(image, true),
    Size: decimalSize(shared + unique),
    SharedSize: decimalSize(shared),
    UniqueSize: decimalSize(unique),
    Containers: String(containers),
  }));
  const containerRows = containers.map(({ record, size }) => ({
    ID: record.id.slice(0, 12),
    Image: record.image,
    Command: `"${record.command.join(' ').slice(0, 20)}"`,
    Size: decimalSize(size),
    CreatedSince: ago(record.created),
    Status: record.status,
    Names: record.name,
  }));
  return [
    'Images space usage:\n',
    formatRows('system df', IMAGE_COLUMNS, imageRows),
    'Containers space usage:\n',
    formatRows('system df', CONTAINER_COLUMNS, containerRows),
    'Local Volumes space usage:\n',
    formatRows(
      'system df',
      VOLUME_COLUMNS,
      volumes.map(({ volume, size, containers }) => ({
        Name: volume.name,
        Links: String(containers),
        Size: decimalSize(size),
      })),
    ),
  ].join('\n');
}

const IMAGE_COLUMNS: Columns = [
  ['REPOSITORY', 'Repository'],
  ['TAG', 'Tag'],
  ['IMAGE ID', 'ID'],
  ['CREATED', 'CreatedSince'],
  ['SIZE', 'Size'],
  ['SHARED SIZE', 'SharedSize'],
  ['UNIQUE SIZE', 'UniqueSize'],
  ['CONTAINERS', 'Containers'],
];

const CONTAINER_COLUMNS: Columns = [
  ['CONTAINER ID', 'ID'],
  ['IMAGE', 'Image'],
  ['COMMAND', 'Command'],
  ['SIZE', 'Size'],
  ['CREATED', 'CreatedSince'],
  ['STATUS', 'Status'],
  ['NAMES', 'Names'],
];

const VOLUME_COLUMNS: Columns = [
  ['VOLUME NAME', 'Name'],
  ['LINKS', 'Links'],
  ['SIZE', 'Size'],
];
