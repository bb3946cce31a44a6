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
    .filter((record) => options.all || LIVE.includes(record.status))
    .map((record) => rowOf(record, options.trunc));
  print(
    options.quiet
      ? rows.map((row) => `${row.ID}\n`).join('')
      : formatRows('ps', COLUMNS, rows, options.format),
  );
  return 0;
}

const LIVE: readonly string[] = ['running', 'paused', 'restarting'];

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

/** In Docker's words. */
function statusOf(record: ContainerRecord): string {
  const { status, created, started, exitCode, finished, health } = record;
  const up = `Up ${age(Math.max(0, Date.now() - Date.parse(started ?? created)) / 1000)}`;
  const since = finished === undefined ? '' : ` ${ago(finished)}`;
  if (status === 'paused') return `${up} (Paused)`;
  if (status === 'running' && health !== undefined)
    return `${up} (${health === 'starting' ? 'health: starting' : health})`;
  if (status === 'running') return up;
  if (status === 'restarting') return `Restarting (${exitCode ?? '?'})${since}`;
  if (status === 'created') return 'Created';
  if (status === 'dead') return 'Dead';
  return `Exited (${exitCode ?? '?'})${since}`;
}
