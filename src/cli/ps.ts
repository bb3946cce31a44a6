import { type ContainerRecord, describePorts, inspectContainer, sweepAndList } from '../index.ts';
import { collect, defineCommand } from './command.ts';
import { type Columns, formatRows, type Row } from './format.ts';
import { print } from './output.ts';
import { asksForEnded, containerFilter, networksOf } from './ps-filter.ts';
import { withLabels } from './row-labels.ts';
import { age, ago, decimalSize, timestamp } from './units.ts';
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
      ['tsbox ps --format \'{{.Names}} {{.Label "env"}}\'', 'with the value of a label'],
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
    .option('-s, --size', 'How much they have written, and with their image')
    .option('--no-trunc', 'Print IDs and commands in full')
    .option('--format <format>', 'json, or text with {{.Column}} in it')
    .parse(args, { from: 'user' })
    .opts<Given>();
  const filters = options.filter ?? [];
  const last = options.latest ? 1 : lastOf(options.last);
  const all = options.all || last !== undefined || asksForEnded(filters);
  // What is shown as ended should be, and a container that removes itself should be gone.
  const known = sweepAndList();
  const shown = known
    .filter((record) => all || LIVE.includes(record.status))
    .filter(containerFilter(filters, known))
    .slice(0, last);
  const rows = shown.map((record) => rowOf(record, options.trunc));
  const sized = options.size === true || /\{\{[^}]*\.Size\b/.test(options.format ?? '');
  if (sized && !options.quiet)
    for (const [index, { id }] of shown.entries()) (rows[index] as Row).Size = await sizeOf(id);
  print(
    options.quiet
      ? rows.map((row) => `${row.ID}\n`).join('')
      : formatRows('ps', sized ? [...COLUMNS, ['SIZE', 'Size']] : COLUMNS, rows, options.format),
  );
  return 0;
}

interface Given {
  all?: boolean;
  filter?: string[];
  last?: string;
  latest?: boolean;
  quiet?: boolean;
  size?: boolean;
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
  const row: Row = {
    ID: short ? record.id.slice(0, 12) : record.id,
    Image: record.image,
    Command: `"${shown}"`,
    RunningFor: ago(record.created),
    CreatedAt: timestamp(record.created),
    Status: statusOf(record),
    State: record.status,
    Ports: LIVE.includes(record.status)
      ? describePorts(record.network?.ports ?? [], record.network?.exposed)
      : '',
    Names: record.name,
    Labels: Object.entries(record.labels ?? {})
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
    LocalVolumes: String(record.volumes?.length ?? 0),
    Mounts: mountsOf(record, short).join(','),
    Networks: networksOf(record).join(','),
  };
  return withLabels(row, record.labels);
}

/** Volumes by name, and what else is mounted by its place on the host. */
function mountsOf({ volumes = [], options }: ContainerRecord, short: boolean): string[] {
  const binds = (options?.volumes ?? []).filter((each) => /^[./]/.test(each) && each.includes(':'));
  const names = [...volumes.map(({ name }) => name), ...binds.map((each) => each.split(':', 1)[0] ?? '')];
  return names.map((name) => (short && name.length > 15 ? `${name.slice(0, 14)}…` : name));
}

/** `12.3kB (virtual 7.8MB)` */
async function sizeOf(id: string): Promise<string> {
  try {
    const { SizeRw = 0, SizeRootFs = 0 } = await inspectContainer(id, { size: true });
    return `${decimalSize(SizeRw)} (virtual ${decimalSize(SizeRootFs)})`;
  } catch {
    // It has been removed meanwhile.
    return '';
  }
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
