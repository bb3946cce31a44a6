/** The fields of one line of comma-separated values by RFC 4180: quoted fields may hold commas, and `""` for a quote. Undefined for a line that is none. */
export function parseCsvLine(line: string): string[] | undefined {
  const fields: string[] = [];
  const field = /("(?:[^"]|"")*"|[^",]*)(,|$)/y;
  for (;;) {
    const match = field.exec(line);
    if (match === null) return undefined;
    const text = match[1] as string;
    fields.push(text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text);
    if (match[2] === '') return fields;
  }
}
