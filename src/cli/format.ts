import { withLabelHeadings } from './row-labels.ts';
import { safe } from './safe.ts';
import { table } from './table.ts';
import { compileTemplate, type Template, TemplateError } from './template/index.ts';
import { usageError } from './usage.ts';

/** A column: its heading and the name it has in `--format`. */
export type Columns = readonly (readonly [heading: string, field: string])[];

/** A row by field names; fields that are no column are for `--format` only. */
export type Row = Record<string, string>;

/**
 * Rows as a table, or as `--format` asks: `json` for an object a line, or a Go template for a line a row, with `table ` before it for
 * headings.
 *
 * @param command for the advice of an error
 * @throws a TsboxError for a template that is wrong or asks for a field that is not there
 */
export function formatRows(
  command: string,
  columns: Columns,
  rows: readonly Row[],
  format = 'table',
): string {
  if (format === 'json') return rows.map((row) => `${safe(JSON.stringify(row))}\n`).join('');
  const headings = columns.map(([heading]) => heading);
  const fields = columns.map(([, field]) => field);
  if (format === 'table') {
    const cells = rows.map((row) => fields.map((field) => row[field] ?? ''));
    return table(headings, cells);
  }
  const headed = /^table\s+/.exec(format)?.[0] ?? '';
  const text = format.slice(headed.length);
  const fill = template(command, text);
  // Before the first row too: a wrong template is wrong in an empty store.
  const lines = rows.map((row) => fill(row));
  if (headed === '') return lines.map((line) => `${line}\n`).join('');
  const known = [...fields, ...rows.flatMap((row) => Object.keys(row))];
  const head = Object.fromEntries([
    ...known.map((field) => [field, heading(field)]),
    ...columns.map(([heading, field]) => [field, heading]),
  ]);
  const cells = lines.map((line) => line.split('\t'));
  return table(template(command, text, AS_IT_IS)(withLabelHeadings(head)).split('\t'), cells);
}

/** A value as a template asks, with a line break: what `inspect --format` prints. */
export function formatValue(command: string, format: string, value: unknown): string {
  if (format === 'json') return `${safe(JSON.stringify(value))}\n`;
  return `${template(command, format)(value)}\n`;
}

function template(command: string, text: string, functions = {}): Template {
  const attempt = <Result>(work: () => Result): Result => {
    try {
      return work();
    } catch (error) {
      throw error instanceof TemplateError ? usageError(command, `--format: ${error.message}`) : error;
    }
  };
  const fill = attempt(() => compileTemplate(text, functions));
  return (data) => attempt(() => fill(data));
}

/** The heading of a column is not to be quoted, cut or padded as its values are. */
const first = (value: unknown) => value;
const AS_IT_IS = { json: first, join: first, lower: first, title: first, upper: first, truncate: first };

/** `CreatedAt` is headed `CREATED AT`. */
function heading(field: string): string {
  return field.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toUpperCase();
}
