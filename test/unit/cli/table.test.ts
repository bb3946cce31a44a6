import { describe, expect, it } from 'vitest';
import { table } from '../../../src/cli/table.ts';

describe('table', () => {
  it('aligns columns three spaces apart, without spaces at the end of a line', () => {
    const text = table(
      ['NAME', 'SIZE'],
      [
        ['alpine', '3MB'],
        ['x', ''],
      ],
    );
    expect(text).toBe('NAME     SIZE\nalpine   3MB\nx\n');
  });

  it('prints the headings of no rows', () => {
    expect(table(['NAME', 'SIZE'], [])).toBe('NAME   SIZE\n');
  });

  it('counts characters, not UTF-16 units', () => {
    expect(
      table(
        ['A', 'B'],
        [
          ['🐧', 'x'],
          ['ab', 'y'],
        ],
      ),
    ).toBe('A    B\n🐧    x\nab   y\n');
  });

  it('lets no escape sequence and no line break of a cell through', () => {
    const text = table(['A'], [['\x1b[31mred\nnext\u202e']]);
    expect(text).toBe('A\n\\u001b[31mred\\nnext\\u202e\n');
  });
});
