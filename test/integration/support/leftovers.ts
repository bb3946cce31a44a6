import { existsSync, type FSWatcher, readdirSync, readFileSync, watch } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { findCgroup } from '../../../src/cgroup/index.ts';
import { eventually, sleep, store, temporary } from './tsbox.ts';

/** To be called in each describe block: nothing of its containers may be left on the host. */
export function leavesNothing(): void {
  // Their ids, to know them among the groups of whoever else uses tsbox on this machine.
  const containers = new Set<string>();
  let watcher: FSWatcher;
  let before: Leftovers;
  beforeAll(() => {
    watcher = watch(join(store, 'containers'), (_, name) => containers.add(`${name}`));
    before = look(containers);
  });
  afterAll(async () => {
    const news = () => newsSince(before, look(containers));
    // A janitor sees the end of its tsbox a moment later, and other programs of this machine mount and unmount too.
    await sleep(50);
    await eventually(() => news().length === 0, 'nothing left').catch(() => {});
    watcher.close();
    expect(news().slice(0, 20)).toEqual([]);
  });
}

interface Leftovers {
  processes: string[];
  cgroups: string[];
  mounts: string[];
  interfaces: string[];
  files: string[];
}

function newsSince(before: Leftovers, now: Leftovers): string[] {
  return (Object.keys(now) as (keyof Leftovers)[]).flatMap((kind) =>
    now[kind].filter((entry) => !before[kind].includes(entry)).map((entry) => `${kind}: ${entry}`),
  );
}

function look(containers: ReadonlySet<string>): Leftovers {
  return {
    processes: processes(),
    cgroups: groupsOf(containers),
    mounts: readFileSync('/proc/self/mountinfo', 'utf8').split('\n'),
    // The bridge of the default network is made once, and stays.
    interfaces: interfaces().filter((name) => name !== 'tsbox0'),
    files: [...tree(store), ...tree(temporary)].filter((path) => !STAYS.test(path)),
  };
}

/** Of the tests' own network. /sys has those of the namespace in which it was mounted. */
export function interfaces(): string[] {
  const lines = readFileSync('/proc/thread-self/net/dev', 'utf8').split('\n').slice(2);
  return lines.flatMap((line) => /^\s*(\S+):/.exec(line)?.[1] ?? []);
}

/** Of tsbox, and helpers that it started: they have TSBOX_ROOT in their environment. */
function processes(): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid) || pid === String(process.pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`TSBOX_ROOT=${store}`);
    } catch {
      return false;
    }
  });
}

function groupsOf(containers: ReadonlySet<string>): string[] {
  const parent = join(findCgroup().mountPoint, 'tsbox');
  return [...containers].filter((id) => existsSync(join(parent, id)));
}

/** Without what images are made of, and what is cached. */
function tree(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    const unchanging = directory === store && ['layers', 'cache'].includes(entry.name);
    return entry.isDirectory() && !unchanging ? [path, ...tree(path)] : [path];
  });
}

/** The default network is made when it is needed first, and stays; addresses that containers have in it do not. */
const STAYS = /\/networks(\/\.hosts\.lock|\/bridge(\/[^/]+)?)?$/;
