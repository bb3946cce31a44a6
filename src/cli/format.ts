import { didYouMean } from '../index.ts';
import { safe } from './safe.ts';
import { table } from './table.ts';
import { usageError } from './usage.ts';

/** A column: its heading and the name it has in `--format`. */
export type Columns = readonly (readonly [heading: string, field: string])[];

/** A row by field names; fields that are no column are for `--format` only. */
export type Row = Record<string, string>;

/**
 * Rows as a table, or as `--format` asks: `json` for an object a line, or text with `{{.Field}}` in it for a line a row, with
 * `table ` before it for headings. That is as much of Docker's templates as people type.
 *
 * @param command for the advice of an error
 * @throws a TsboxError for a field that is not there
 */
export function formatRows(
  command: string,
  columns: Columns,
  rows: readonly Row[],
  format = 'table',
): string {
  if (format === 'json') return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  const headings = columns.map(([heading]) => heading);
  const fields = columns.map(([, field]) => field);
  if (format === 'table') {
    const cells = rows.map((row) => fields.map((field) => row[field] ?? ''));
    return table(headings, cells);
  }
  const headed = /^table\s+/.exec(format)?.[0] ?? '';
  const template = format.slice(headed.length).replaceAll('\\t', '\t').replaceAll('\\n', '\n');
  const known = [...new Set([...fields, ...rows.flatMap((row) => Object.keys(row))])];
  const lines = rows.map((row) => fill(command, template, row, known));
  if (headed === '') return lines.map((line) => `${line}\n`).join('');
  const head = fill(
    command,
    template,
    Object.fromEntries(columns.map(([heading, field]) => [field, heading])),
    known,
  );
  const cells = lines.map((line) => line.split('\t'));
  return table(head.split('\t'), cells);
}

function fill(command: string, template: string, row: Row, known: string[]): string {
  return template.replaceAll(/\{\{(.*?)\}\}/g, (_, inside: string) => {
    const expression = inside.trim();
    if (expression === 'json .') return JSON.stringify(row);
    const [, json, field = ''] = /^(json )?\.(\w+)$/.exec(expression) ?? [];
    if (!known.includes(field)) {
      const meant = didYouMean(field, known);
      throw usageError(
        command,
        `--format: there is no {{${expression}}}${meant || `, only ${known.map((name) => `.${name}`).join(' ')}`}`,
      );
    }
    const value = row[field] ?? '';
    return json === undefined ? safe(value) : JSON.stringify(value);
  });
}
