import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';

/**
 * Replaces our lines in a container's /etc/hosts, and leaves what the container or its image wrote around them. In place, since it is mounted by itself inside: a
 * renamed file would be another one. All of it is one pwrite(2), so that whoever reads meanwhile sees at worst the old end after the new beginning.
 *
 * The file is the container's to write: nothing of it is trusted, and one that cannot be read or written (a program made it immutable, say) is nobody else's
 * trouble.
 */
export function replaceBlock(file: string, lines: readonly string[]): void {
  let fd: number;
  try {
    fd = openSync(file, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return;
  }
  try {
    const before = readBounded(fd);
    const after = withBlock(before ?? '', lines);
    if (after === before) return;
    const bytes = Buffer.from(after, 'latin1');
    if (writeSync(fd, bytes, 0, bytes.length, 0) === bytes.length) ftruncateSync(fd, bytes.length);
  } finally {
    closeSync(fd);
  }
}

/** Exported for tests. */
export function withBlock(text: string, lines: readonly string[]): string {
  const block = lines.length === 0 ? '' : [BEGIN, ...lines, END].map((line) => `${line}\n`).join('');
  const start = text.startsWith(BEGIN) ? 0 : text.indexOf(`\n${BEGIN}\n`) + 1;
  if (start === 0 && !text.startsWith(BEGIN))
    return `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${block}`;
  const end = text.indexOf(`\n${END}\n`, start);
  // Somebody took the end away: then all that follows is ours.
  const rest = end < 0 ? '' : text.slice(end + END.length + 2);
  return `${text.slice(0, start)}${block}${rest}`;
}

/** Undefined where it is too long to be looked at: then only our lines stay. */
function readBounded(fd: number): string | undefined {
  const { size } = fstatSync(fd);
  if (size > LONGEST) return undefined;
  const bytes = Buffer.alloc(size);
  return bytes.toString('latin1', 0, readSync(fd, bytes, 0, size, 0));
}

const LONGEST = 1024 * 1024;
const BEGIN = '# tsbox: who is in the same networks; these lines are rewritten as containers come and go';
const END = '# tsbox: end';
