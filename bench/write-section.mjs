import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './setup.mjs';

/** Puts a section into docs/performance.md, in the place of the one with the same heading. */
export function writeSection(heading, section) {
  const file = join(root, 'docs', 'performance.md');
  const text = readFileSync(file, 'utf8');
  const at = text.indexOf(`${heading}\n`);
  const end = at < 0 ? -1 : text.indexOf('\n## ', at + 1);
  const before = at < 0 ? `${text.trimEnd()}\n\n` : text.slice(0, at);
  writeFileSync(file, `${before}${section}${end < 0 ? '' : text.slice(end)}`);
}
