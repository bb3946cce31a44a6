import { type ContainerRecord, describePorts, sweepAndList } from '../index.ts';
import { collect, defineCommand } from './command.ts';
import { type Columns, formatRows, type Row } from './format.ts';
import { print } from './output.ts';
import { asksForEnded, containerFilter, networksOf } from './ps-filter.ts';
import { age, ago } from './units.ts';
import { usageError } from './usage.ts';

const COLUMNS: Columns = [
  ['CONTAINER ID', 'ID'],
  ['IMAGE', 'Image'],
  ['COMMAND', 'Command'],
  ['CREATED', 'RunningFor'],
  ['STATUS', 'Status'],
  ['PORTS', 'Ports'],
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
    .option(
      '-f, --filter <key=value>',
      'Only some: status=exited, name=web, label=x, ancestor=alpine, exited=1',
      collect,
    )
    .option('-n, --last <number>', 'The last that were made, in whatever state')
    .option('-l, --latest', 'The last one')
    .option('-q, --quiet', 'Print only the IDs')
    .option('--no-trunc', 'Print IDs and commands in full')
    .option('--format <format>', 'json, or text with {{.Column}} in it')
    .parse(args, { from: 'user' })
    .opts<Given>();
  // What is shown as ended should be, and a container that removes itself should be gone.
  const records = sweepAndList();
  const filters = options.filter ?? [];
  const last = options.latest ? 1 : lastOf(options.last);
  const all = options.all || last !== undefined || asksForEnded(filters);
  const rows = records
    .filter((record) => all || LIVE.includes(record.status))
    .filter(containerFilter(filters))
    .slice(0, last)
    .map((record) => rowOf(record, options.trunc));
  print(
    options.quiet
      ? rows.map((row) => `${row.ID}\n`).join('')
      : formatRows('ps', COLUMNS, rows, options.format),
  );
  return 0;
}

interface Given {
  all?: boolean;
  filter?: string[];
  last?: string;
  latest?: boolean;
  quiet?: boolean;
  trunc: boolean;
  format?: string;
}

/** As in Docker, -1 and 0 mean all that run. */
function lastOf(text: string | undefined): number | undefined {
  if (text === undefined || /^(-1|0)$/.test(text)) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw usageError('ps', `--last ${JSON.stringify(text)}: not a number`);
  return Number(text);
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
    Ports: LIVE.includes(record.status)
      ? describePorts(record.network?.ports ?? [], record.network?.exposed)
      : '',
    Names: record.name,
    Networks: networksOf(record).join(','),
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
