import { type Check, doctor } from '../index.ts';
import { defineCommand } from './command.ts';
import { print } from './output.ts';
import { safe } from './safe.ts';
import { usageError } from './usage.ts';

/** `tsbox doctor`: exit code 0 where nothing fails, else 1. */
export async function doctorCommand(args: string[]): Promise<number> {
  const { format } = defineCommand({
    usage: 'doctor [OPTIONS]',
    description:
      'Check that this machine can run containers. Each failing line says what it costs you and how to fix it. ' +
      'Exits with 1 where something fails. Run it with sudo, as tsbox itself: some checks need root.',
    examples: [
      ['sudo tsbox doctor', 'for people'],
      ['sudo tsbox doctor --format json', 'for programs'],
    ],
  })
    .option('--format <format>', 'json')
    .parse(args, { from: 'user' })
    .opts<{ format?: string }>();
  if (format !== undefined && format !== 'json')
    throw usageError('doctor', `--format ${format}: the only format is json`);
  const checks = await doctor();
  print(format === 'json' ? `${JSON.stringify(checks, null, 2)}\n` : formatChecks(checks, hasColour()));
  return checks.some((check) => check.ok === false) ? 1 : 0;
}

/** A line a check, with cost and fix below one that is not right, and a summary. */
export function formatChecks(checks: readonly Check[], colour: boolean): string {
  const paint = (code: number, text: string) => (colour ? `\x1b[${code}m${text}\x1b[0m` : text);
  const marks = { true: paint(32, '✓'), false: paint(31, '✗'), unknown: paint(33, '?') };
  const width = Math.max(...checks.map((check) => check.name.length));
  const indent = ' '.repeat(width + 4);
  const lines = checks.flatMap(({ name, ok, detail, cost, fix }) => [
    `${marks[`${ok}`]} ${name.padEnd(width)}  ${safe(detail)}`,
    ...(ok === true || cost === undefined ? [] : [`${indent}cost: ${safe(cost)}`]),
    ...(ok === true || fix === undefined ? [] : [`${indent}fix:  ${safe(fix)}`]),
  ]);
  const count = (ok: Check['ok']) => checks.filter((check) => check.ok === ok).length;
  const [failed, unknown] = [count(false), count('unknown')];
  const parts = [
    `${count(true)} right`,
    ...(failed ? [`${failed} wrong`] : []),
    ...(unknown ? [`${unknown} not known`] : []),
  ];
  return `${lines.join('\n')}\n\n${parts.join(', ')}\n`;
}

/** See no-color.org: set and not empty. */
function hasColour(): boolean {
  return process.stdout.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb';
}
