import { logs as readLogs } from '../index.ts';
import { defineCommand } from './command.ts';
import { LogPrinter } from './log-printer.ts';
import { usageError } from './usage.ts';

/** `tsbox logs`: what went to standard output goes to ours, and likewise standard error. */
export async function logs(args: string[]): Promise<number> {
  const command = defineCommand({
    usage: 'logs [OPTIONS] CONTAINER',
    description: 'Show what a container has written.',
    examples: [
      ['tsbox logs -f web', 'and what it writes from now on'],
      ['tsbox logs -n 20 -t web', 'the last twenty lines, with their times'],
      ['tsbox logs --since 10m web', 'of the last ten minutes'],
    ],
  })
    .argument('<container>')
    .option('-f, --follow', 'Go on until it ends')
    .option('-n, --tail <lines>', 'Only so many lines of the end', 'all')
    .option('--since <time>', 'From then on: 2026-11-23T10:00:00Z, 1763892000, or 10m for ten minutes ago')
    .option('--until <time>', 'Until then')
    .option('-t, --timestamps', 'Show when each line was written')
    .option('--details', 'Show what log options add, which is nothing')
    .parse(args, { from: 'user' });
  const {
    tail,
    timestamps,
    details: _,
    ...options
  } = command.opts<{
    follow?: boolean;
    tail: string;
    since?: string;
    until?: string;
    timestamps?: boolean;
    details?: boolean;
  }>();
  const printer = new LogPrinter(timestamps === true);
  for await (const lines of readLogs(command.args[0] as string, { ...options, ...readTail(tail) }))
    printer.print(lines);
  return 0;
}

/** Docker takes what is no number for all of them; a mistake should rather be told. */
function readTail(text: string): { tail?: number } {
  if (text === 'all' || /^-\d+$/.test(text)) return {};
  if (!/^\d{1,15}$/.test(text))
    throw usageError('logs', `--tail ${JSON.stringify(text)}: not a number, or all`);
  return { tail: Number(text) };
}
