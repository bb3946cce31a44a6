import { safe } from './safe.ts';

/** Rows under headings, in columns as wide as their widest cell and three spaces apart, as Docker prints them. Ends with a line break. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = headings.map(() => 0);
  const cells = [headings, ...rows].map((row) =>
    row.map((cell, column) => {
      const text = safe(cell).replaceAll('\n', '\\n');
      if (column < widths.length) widths[column] = Math.max(widths[column] as number, length(text));
      return text;
    }),
  );
  const lines = cells.map((row) =>
    row
      .map((cell, column) => pad(cell, widths[column] ?? 0))
      .join('   ')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n`;
}

function pad(cell: string, width: number): string {
  return cell.padEnd(cell.length + width - length(cell));
}

/** In characters, not in UTF-16 units. */
function length(text: string): number {
  if (ONE_UNIT_EACH.test(text)) return text.length;
  return [...text].length;
}

/** Nothing of a pair of surrogates. */
const ONE_UNIT_EACH = /^[\0-\ud7ff]*$/;
