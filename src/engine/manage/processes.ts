import { type Dirent, readdirSync, readFileSync } from 'node:fs';

/** The PIDs in a cgroup and in those below it, as this process's PID namespace has them. Whoever ends meanwhile is in or not. */
export function processesIn(cgroup: string): number[] {
  return numbersIn(Buffer.from(cgroup), 'cgroup.procs');
}

/** How many threads there are in it: for a host whose cgroup v2 does not count. */
export function countThreads(cgroup: string): number {
  return numbersIn(Buffer.from(cgroup), 'cgroup.threads').length;
}

/** Names are bytes here: whoever made a group inside a container need not have used UTF-8. */
function numbersIn(group: Buffer, file: string): number[] {
  let entries: Dirent<Buffer>[];
  let text: string;
  try {
    entries = readdirSync(group, { withFileTypes: true, encoding: 'buffer' });
    text = readFileSync(Buffer.concat([group, Buffer.from(`/${file}`)]), 'latin1');
  } catch {
    return [];
  }
  const below = entries
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => numbersIn(Buffer.concat([group, Buffer.from('/'), name]), file));
  // 0: a process of a PID namespace that cannot be seen from here.
  return [...text.split('\n').map(Number).filter(Boolean), ...below];
}
