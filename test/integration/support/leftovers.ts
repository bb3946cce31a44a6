import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { findCgroup } from '../../../src/cgroup/index.ts';
import { eventually, store, temporary } from './tsbox.ts';

/** To be called in each describe block: nothing of its containers may be left on the host. */
export function leavesNothing(): void {
  let before: Leftovers;
  beforeAll(() => {
    before = look();
  });
  afterAll(async () => {
    // A janitor sees the end of its tsbox a moment later, and other programs of this machine mount and unmount too.
    await eventually(() => news(before).length === 0, 'nothing left').catch(() => {});
    expect(news(before).slice(0, 20)).toEqual([]);
  });
}

interface Leftovers {
  processes: string[];
  cgroups: string[];
  mounts: string[];
  interfaces: string[];
  files: string[];
}

function news(before: Leftovers): string[] {
  const now = look();
  return (Object.keys(now) as (keyof Leftovers)[]).flatMap((kind) =>
    now[kind].filter((entry) => !before[kind].includes(entry)).map((entry) => `${kind}: ${entry}`),
  );
}

function look(): Leftovers {
  return {
    processes: processes(),
    cgroups: cgroups(),
    mounts: readFileSync('/proc/self/mountinfo', 'utf8').split('\n'),
    interfaces: readdirSync('/sys/class/net'),
    files: [...tree(store), ...tree(temporary)],
  };
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

function cgroups(): string[] {
  const parent = join(findCgroup().mountPoint, 'tsbox');
  if (!existsSync(parent)) return [];
  return readdirSync(parent, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
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
