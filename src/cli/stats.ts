import { type ContainerSample, sampleContainers } from '../index.ts';
import { defineCommand } from './command.ts';
import { type Columns, formatRows, type Row } from './format.ts';
import { print } from './output.ts';
import { binarySize, decimalSize } from './units.ts';

const COLUMNS: Columns = [
  ['CONTAINER ID', 'ID'],
  ['NAME', 'Name'],
  ['CPU %', 'CPUPerc'],
  ['MEM USAGE / LIMIT', 'MemUsage'],
  ['MEM %', 'MemPerc'],
  ['NET I/O', 'NetIO'],
  ['BLOCK I/O', 'BlockIO'],
  ['PIDS', 'PIDs'],
  ['THROTTLED', 'Throttled'],
  ['PRESSURE C/M/I', 'Pressure'],
];

/** `tsbox stats` */
export async function stats(args: string[]): Promise<number> {
  const command = defineCommand({
    usage: 'stats [OPTIONS] [CONTAINER…]',
    description: 'Show what containers use, once a second, until Ctrl-C.',
    examples: [
      ['tsbox stats', 'all that run'],
      ['tsbox stats --no-stream web', 'once'],
      ["tsbox stats --format '{{.Name}} {{.CPUPerc}} {{.Throttled}}'", 'some columns'],
    ],
  })
    .argument('[container...]')
    .option('-a, --all', 'Also those that do not run')
    .option('--no-stream', 'Show it once')
    .option('--no-trunc', 'Print IDs in full')
    .option('--format <format>', 'json, or a Go template: {{.Name}} {{.MemPerc}}')
    .parse(args, { from: 'user' });
  const { all, stream, trunc, format } = command.opts<{
    all?: boolean;
    stream: boolean;
    trunc: boolean;
    format?: string;
  }>();
  // Checked before the first second has passed.
  formatRows('stats', COLUMNS, [], format);
  const live = stream && format === undefined && process.stdout.isTTY === true;
  for await (const samples of sampleContainers(command.args, { ...(all && { all }) })) {
    const text = formatRows(
      'stats',
      COLUMNS,
      samples.map((sample) => rowOf(sample, trunc)),
      format,
    );
    // Drawn over what was there, line by line: clearing the screen first would flicker.
    print(live ? `\x1b[H${text.replaceAll('\n', '\x1b[K\n')}\x1b[J` : text);
    if (!stream) return 0;
  }
  return 0;
}

/** As Docker prints it; `--` for what is not counted. */
export function rowOf(sample: ContainerSample, short: boolean): Row {
  const { id, name, running, memory, network, block, pids, cgroup } = sample;
  const known = <T>(value: T | undefined, show: (value: T) => string) =>
    running && value !== undefined ? show(value) : '--';
  const percent = (value: number) => `${value.toFixed(2)}%`;
  return {
    ID: short ? id.slice(0, 12) : id,
    Container: short ? id.slice(0, 12) : id,
    Name: name,
    CPUPerc: running ? percent(sample.cpuPercent) : '--',
    MemUsage: running ? known(memory, usage) : '-- / --',
    MemPerc: known(memory, ({ percent: used }) => percent(used)),
    NetIO: known(network, ({ received, sent }) => `${decimalSize(received)} / ${decimalSize(sent)}`),
    BlockIO: known(block, ({ read, written }) => `${decimalSize(read)} / ${decimalSize(written)}`),
    PIDs: running ? String(pids) : '--',
    Throttled: known(cgroup.cpu?.throttledUsec, (usec) => `${(usec / 1e6).toFixed(2)}s`),
    Pressure: running ? pressures(cgroup.pressure) : '--',
    CPUPressure: known(cgroup.pressure?.cpu, ({ some }) => percent(some.avg10)),
    MemPressure: known(cgroup.pressure?.memory, ({ some }) => percent(some.avg10)),
    IOPressure: known(cgroup.pressure?.io, ({ some }) => percent(some.avg10)),
  };
}

/** How much of the last ten seconds something waited for processors, for memory and for disks. */
function pressures(pressure: ContainerSample['cgroup']['pressure']): string {
  const parts = [pressure?.cpu, pressure?.memory, pressure?.io];
  if (parts.every((part) => part === undefined)) return '--';
  return parts.map((part) => (part === undefined ? '--' : `${part.some.avg10.toFixed(1)}%`)).join(' / ');
}

function usage({ usage: used, limit }: NonNullable<ContainerSample['memory']>): string {
  return `${compact(used)} / ${compact(limit)}`;
}

/** `12.4MiB`, without the space. */
function compact(bytes: number): string {
  return binarySize(bytes).replace(' ', '');
}
