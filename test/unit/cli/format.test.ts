import { describe, expect, it } from 'vitest';
import { type Columns, formatRows } from '../../../src/cli/format.ts';
import { withLabels } from '../../../src/cli/row-labels.ts';

const columns: Columns = [
  ['IMAGE ID', 'ID'],
  ['SIZE', 'Size'],
];
const rows = [
  { ID: 'abc', Size: '3MB', Digest: 'sha256:1' },
  { ID: 'd', Size: '1kB', Digest: 'sha256:2' },
];

describe('formatRows', () => {
  it.each([
    [undefined, 'IMAGE ID   SIZE\nabc        3MB\nd          1kB\n'],
    ['table', 'IMAGE ID   SIZE\nabc        3MB\nd          1kB\n'],
    ['{{.ID}}', 'abc\nd\n'],
    ['{{ .ID }}: {{.Digest}}', 'abc: sha256:1\nd: sha256:2\n'],
    ['{{.ID}}\\t{{json .Size}}', 'abc\t"3MB"\nd\t"1kB"\n'],
    ['table {{.Size}}\\t{{.ID}}', 'SIZE   IMAGE ID\n3MB    abc\n1kB    d\n'],
    [
      '{{json .}}',
      '{"ID":"abc","Size":"3MB","Digest":"sha256:1"}\n{"ID":"d","Size":"1kB","Digest":"sha256:2"}\n',
    ],
    ['json', '{"ID":"abc","Size":"3MB","Digest":"sha256:1"}\n{"ID":"d","Size":"1kB","Digest":"sha256:2"}\n'],
  ])('%s', (format, text) => expect(formatRows('images', columns, rows, format)).toBe(text));

  it('says which field was meant', () => {
    expect(() => formatRows('images', columns, rows, '{{.Siez}}')).toThrow(
      'there is no {{.Siez}}; did you mean Size?',
    );
    expect(() => formatRows('images', columns, rows, '{{range .}}')).toThrow('{{range .}} has no {{end}}');
    expect(() => formatRows('images', columns, rows, '{{.Xyzzy}}')).toThrow(
      'there is no {{.Xyzzy}}, only .ID .Size .Digest',
    );
  });

  it('heads a column that is not in the table by the name of its field', () => {
    const row = { ID: 'abc', Size: '1', CreatedAt: 'now' };
    expect(formatRows('images', columns, [row], 'table {{.ID | upper}}\t{{.CreatedAt}}')).toBe(
      'IMAGE ID   CREATED AT\nABC        now\n',
    );
  });

  describe('with labels', () => {
    const labelled = () => [
      withLabels({ ID: 'abc' }, { 'org.example.node-name': 'n1', ['__proto__']: 'p' }),
      withLabels({ ID: 'd' }),
    ];

    it.each([
      ['{{.ID}} {{.Label "org.example.node-name"}}', 'abc n1\nd \n'],
      ['{{.Label "__proto__"}}{{.Label "constructor"}}', 'p\n\n'],
      ['table {{.ID}}\\t{{.Label "org.example.node-name"}}', 'IMAGE ID   node name\nabc        n1\nd\n'],
      ['json', '{"ID":"abc"}\n{"ID":"d"}\n'],
      ['{{json .}}', '{"ID":"abc"}\n{"ID":"d"}\n'],
      ['{{.}}', 'map[ID:abc]\nmap[ID:d]\n'],
    ])('%s', (format, text) => expect(formatRows('ps', columns, labelled(), format)).toBe(text));

    it('refuses it where there are none', () => {
      expect(() => formatRows('images', columns, rows, '{{.Label "x"}}')).toThrow('there is no {{.Label}}');
    });
  });

  it('lets no escape sequence of a value through', () => {
    expect(formatRows('images', columns, [{ ID: '\x1b[2J', Size: '' }], '{{.ID}}')).toBe('\\u001b[2J\n');
  });
});
