import { type ContainerRecord, listContainers, sweep } from '../index.ts';
import { defineCommand } from './command.ts';
import { type Columns, formatRows, type Row } from './format.ts';
import { print } from './output.ts';
import { age, ago } from './units.ts';

const COLUMNS: Columns = [
  ['CONTAINER ID', 'ID'],
  ['IMAGE', 'Image'],
  ['COMMAND', 'Command'],
  ['CREATED', 'RunningFor'],
  ['STATUS', 'Status'],
  ['NAMES', 'Names'],
];

/** `tsbox ps` */
export async function ps(args: string[]): Promise<number> {
  const options = defineCommand({
    usage: 'ps [OPTIONS]',
    description: 'List the containers that run.',
    examples: [
      ['tsbox ps', 'a table'],
      ['tsbox ps -a', 'those that have ended too'],
      ["tsbox ps --format '{{.Names}} {{.Status}}'", 'some columns'],
    ],
  })
    .option('-a, --all', 'List those that have ended too')
    .option('-q, --quiet', 'Print only the IDs')
    .option('--no-trunc', 'Print IDs and commands in full')
    .option('--format <format>', 'json, or text with {{.Column}} in it')
    .parse(args, { from: 'user' })
    .opts<{ all?: boolean; quiet?: boolean; trunc: boolean; format?: string }>();
  // What is shown as ended should be, and a container that removes itself should be gone.
  sweep();
  const rows = listContainers()
    .filter((record) => options.all || record.status === 'running')
    .map((record) => rowOf(record, options.trunc));
  print(
    options.quiet
      ? rows.map((row) => `${row.ID}\n`).join('')
      : formatRows('ps', COLUMNS, rows, options.format),
  );
  return 0;
}

function rowOf(record: ContainerRecord, short: boolean): Row {
  const command = record.command.join(' ');
  const shown = short && command.length > 20 ? `${command.slice(0, 19)}…` : command;
  return {
    ID: short ? record.id.slice(0, 12) : record.id,
    Image: record.image,
    Command: `"${shown}"`,
    RunningFor: ago(record.created),
    CreatedAt: new Date(record.created).toISOString(),
    Status: statusOf(record),
    State: record.status,
    Names: record.name,
    Labels: Object.entries(record.labels ?? {})
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
  };
}

function statusOf({ status, created, exitCode, finished }: ContainerRecord): string {
  if (status === 'running') return `Up ${age(Math.max(0, Date.now() - Date.parse(created)) / 1000)}`;
  if (status === 'created') return 'Created';
  return `Exited (${exitCode ?? '?'})${finished === undefined ? '' : ` ${ago(finished)}`}`;
}
