/**
 * Gives a row Docker's `{{.Label "env"}}`: the value of a label, or nothing where it has none of that name. It is no column: neither JSON nor a
 * list of fields shows it.
 */
export function withLabels<Row extends object>(row: Row, labels: Readonly<Record<string, string>> = {}): Row {
  const known = new Map(Object.entries(labels));
  return Object.defineProperty(row, 'Label', { value: (name: string) => known.get(name) ?? '' });
}

/** In a heading, where a label is called by the last part of its name: `com.example.node-name` is `node name`. */
export function withLabelHeadings<Row extends object>(row: Row): Row {
  const value = (name: string) => name.slice(name.lastIndexOf('.') + 1).replace(/[-_]/g, ' ');
  return Object.defineProperty(row, 'Label', { value });
}
