import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { type BigIntStats, constants, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';

const { S_IFMT, S_IFREG, S_IFLNK, S_IFDIR } = constants;

/**
 * Everything about a tree that an archive can say, one line an entry, by path: for comparing two trees. Names are bytes.
 *
 * @param skip a path below it, `./…`, that is left out with all that it has
 */
export function describeTree(root: string, skip?: string): Record<string, string> {
  const lines: Record<string, string> = {};
  const firstOf = new Map<bigint, string>();
  const xattrs = readXattrs(root);
  const visit = (path: Buffer, name: string) => {
    if (name === skip) return;
    const status = lstatSync(path, { bigint: true });
    const first = firstOf.get(status.ino) ?? name;
    firstOf.set(status.ino, first);
    lines[name] = [
      describe(path, status),
      first === name ? '' : `link of ${first}`,
      ...(xattrs.get(name) ?? []),
    ].join(' ');
    if (typeOf(status) !== S_IFDIR) return;
    for (const child of readdirSync(path, { encoding: 'buffer' }).sort(Buffer.compare)) {
      visit(Buffer.concat([path, Buffer.from('/'), child]), `${name}/${child.toString('latin1')}`);
    }
  };
  visit(Buffer.from(root), '.');
  return lines;
}

function describe(path: Buffer, status: BigIntStats): string {
  const type = typeOf(status);
  const parts = [
    status.mode.toString(8),
    `${status.uid}:${status.gid}`,
    `${status.mtimeNs}`,
    `rdev ${status.rdev}`,
  ];
  if (type === S_IFLNK) parts.push(`to ${readlinkSync(path, 'latin1')}`);
  if (type === S_IFREG) {
    parts.push(
      `${status.size} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`,
      `nlink ${status.nlink}`,
    );
  }
  return parts.join(' ');
}

function typeOf(status: BigIntStats): number {
  return Number(status.mode) & S_IFMT;
}

/** By getfattr(1), which is not ours. */
function readXattrs(root: string): Map<string, string[]> {
  const output = execFileSync('getfattr', ['-R', '-P', '-h', '-d', '-m', '-', '-e', 'hex', '.'], {
    cwd: root,
    encoding: 'latin1',
    maxBuffer: 1 << 26,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const found = new Map<string, string[]>();
  for (const block of output.split('\n\n')) {
    const [title = '', ...values] = block.split('\n').filter((line) => line !== '');
    const name = title
      .replace(/^# file: /, '')
      .replace(/\\(\d{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)));
    if (values.length > 0) found.set(name === '.' ? '.' : `./${name}`, values.sort());
  }
  return found;
}
