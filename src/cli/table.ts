import { safe } from './safe.ts';

/** Rows under headings, in columns as wide as their widest cell and three spaces apart, as Docker prints them. Ends with a line break. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [headings, ...rows].map((row) => row.map((cell) => safe(cell).replaceAll('\n', '\\n')));
  const widths = headings.map((_, column) => Math.max(...cells.map((row) => length(row[column] ?? ''))));
  const lines = cells.map((row) =>
    row
      .map((cell, column) => pad(cell, widths[column] ?? 0))
      .join('   ')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n`;
}

function pad(cell: string, width: number): string {
  return cell + ' '.repeat(Math.max(0, width - length(cell)));
}

/** In characters, not in UTF-16 units. */
function length(text: string): number {
  return [...text].length;
}
