import { type ImageHistory, imageHistory } from '../index.ts';
import { defineCommand } from './command.ts';
import { type Columns, formatRows, type Row } from './format.ts';
import { print } from './output.ts';
import { ago, decimalSize } from './units.ts';

/** `tsbox history` */
export async function history(args: string[]): Promise<number> {
  const command = defineCommand({
    usage: 'history [OPTIONS] IMAGE',
    description: 'Show how an image was made, the newest step first.',
    examples: [
      ['tsbox history web', 'a table'],
      ["tsbox history --no-trunc --format '{{.CreatedBy}}' web", 'the commands'],
    ],
  })
    .argument('<image>')
    .option('--format <format>', 'json, or a Go template with columns like {{.CreatedBy}}')
    .option('-H, --human', 'Sizes and dates for people (default: true; --human=false for programs)', true)
    .option('--no-trunc', 'Print everything in full')
    .option('-q, --quiet', 'Print only the IDs')
    // Go's flags take a value after `=`, and commander's do not.
    .parse(args.flatMap(human), { from: 'user' });
  const options = command.opts<{ format?: string; human: boolean; trunc: boolean; quiet?: boolean }>();
  const people = options.human && !args.some((word) => /^(-H|--human)=(false|0)$/.test(word));
  const { id, entries } = await imageHistory(command.args[0] ?? '');
  const rows = entries.map((entry, index) =>
    rowOf(entry, index === 0 ? id : undefined, options.trunc, people),
  );
  print(
    options.quiet
      ? rows.map((row) => `${row.ID}\n`).join('')
      : formatRows('history', columns(people), rows, options.format),
  );
  return 0;
}

function human(word: string): string[] {
  return /^(-H|--human)=/.test(word) ? [] : [word];
}

function columns(people: boolean): Columns {
  return [
    ['IMAGE', 'ID'],
    people ? ['CREATED', 'CreatedSince'] : ['CREATED AT', 'CreatedAt'],
    ['CREATED BY', 'CreatedBy'],
    ['SIZE', 'Size'],
    ['COMMENT', 'Comment'],
  ];
}

/** Only the last step has made the image; what the steps before made has no id here. */
function rowOf(entry: ImageHistory, id: string | undefined, short: boolean, people: boolean): Row {
  const command = entry.createdBy.replace(/\s+/g, ' ');
  const isLong = [...command].length > 45;
  return {
    Comment: entry.comment,
    CreatedAt:
      entry.created === undefined ? '' : new Date(entry.created).toISOString().replace(/\.\d+Z$/, 'Z'),
    CreatedBy: short && isLong ? `${[...command].slice(0, 44).join('')}…` : command,
    CreatedSince: entry.created === undefined ? 'N/A' : ago(entry.created),
    ID: id === undefined ? '<missing>' : short ? id.slice(7, 19) : id,
    Size: people ? decimalSize(entry.size) : String(entry.size),
  };
}
