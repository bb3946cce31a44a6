import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect } from 'vitest';
import { FaultyRegistry } from '../../../fixtures/faulty-registry.ts';
import { type Layout, sha256, writeLayout } from '../../../fixtures/oci-layout.ts';
import { archive, directory, file } from '../../../fixtures/tar.ts';
import { cli } from '../../support/tsbox.ts';
import { watchMemory } from './memory.ts';
import { describeTree } from './tree.ts';

const ENOUGH = 250 * 2 ** 20;

/** `tsbox pull` of an image of two layers, from a registry that can be told to misbehave, into a new store for each test. */
export interface FaultyPull {
  layout: Layout;
  registry: FaultyRegistry;
  /** Another host, with the same image. */
  other: FaultyRegistry;
  pull(during?: (kill: (signal: NodeJS.Signals) => void) => void): Promise<Pulled>;
  /** Pulls, and compares every blob and some files. */
  succeeds(): Promise<void>;
  /** Pulls and expects one clear line, exit code 125, and the store as it was before, to the last attribute. */
  fails(message: RegExp): Promise<void>;
  /** What is in the store. */
  contents(): Record<string, string>;
}

interface Pulled {
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  peak: number;
}

export function useFaultyPull(): FaultyPull {
  let place: string;
  const all = { pull, succeeds, fails, contents } as FaultyPull;
  let store: string;

  beforeAll(async () => {
    place = mkdtempSync(join(tmpdir(), 'tsbox-faults-'));
    const noise = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * index * 31) >> 7));
    all.layout = writeLayout(join(place, 'layout'), {
      layers: [
        {
          tar: archive(directory('etc'), file('etc/passwd', 'root:x:0:0::/:/bin/sh\n'), file('noise', noise)),
        },
        { tar: archive(file('second', '2')), compression: 'none' },
      ],
    });
    all.registry = await FaultyRegistry.start(all.layout);
    all.other = await FaultyRegistry.start(all.layout);
  });
  afterAll(async () => {
    await all.registry.stop();
    await all.other.stop();
    rmSync(place, { recursive: true, force: true });
  });
  beforeEach(() => {
    all.registry.mend();
    all.other.mend();
    store = mkdtempSync(join(place, 'store-'));
  });

  return all;

  async function pull(during: (kill: (signal: NodeJS.Signals) => void) => void = () => {}): Promise<Pulled> {
    const child = spawn(process.execPath, [cli, 'pull', '--quiet', `${all.registry.host}/image`], {
      env: { ...process.env, TSBOX_ROOT: store, HOME: place },
    });
    const peak = watchMemory(child.pid as number);
    const said = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text) => {
        said[name] += text;
      });
    }
    during((signal) => child.kill(signal));
    const [status, signal] = await once(child, 'close');
    return { status, signal, ...said, peak: peak() };
  }

  async function succeeds() {
    const { status, stderr, peak } = await pull();
    expect(stderr).not.toMatch(/unexpected|at .*\.ts/);
    expect(status).toBe(0);
    expect(peak).toBeLessThan(ENOUGH);
    for (const { digest } of [all.layout.descriptor, all.layout.config, ...all.layout.layers]) {
      const bytes = readFileSync(join(store, 'images/blobs/sha256', digest.slice(7)));
      expect(sha256(bytes)).toBe(digest);
    }
    const [lower = '', upper = ''] = all.layout.diffIds.map((id) =>
      join(store, 'layers', id.slice(7), 'diff'),
    );
    expect(readFileSync(join(lower, 'etc/passwd'), 'latin1')).toBe('root:x:0:0::/:/bin/sh\n');
    expect(readFileSync(join(upper, 'second'), 'latin1')).toBe('2');
  }

  async function fails(message: RegExp) {
    // A store that has been used, so that what is there can be compared.
    mkdirSync(join(store, 'images'), { recursive: true });
    await pullNothing();
    const before = contents();
    const { status, stdout, stderr, peak } = await pull();
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/unexpected|undefined|\[object|NaN|at .*\.ts/);
    // One line, and perhaps one of advice; lines about further tries come before.
    const lines = stderr
      .trimEnd()
      .split('\n')
      .filter((line) => line.startsWith('tsbox: ') && !line.includes('; trying again in'));
    expect(lines.length, stderr).toBe(1);
    expect(stdout).toBe('');
    expect(status).toBe(125);
    expect(peak).toBeLessThan(ENOUGH);
    expect(contents()).toEqual(before);
  }

  /** The first pull makes the directories of the store. */
  async function pullNothing() {
    const child = spawn(process.execPath, [cli, 'pull', '--quiet', `${all.registry.host}/nothing`], {
      env: { ...process.env, TSBOX_ROOT: store, HOME: place },
      stdio: 'ignore',
    });
    expect(await once(child, 'close')).toEqual([125, null]);
    all.registry.received.length = 0;
  }

  /** Without the times of directories, and what is cached. */
  function contents(): Record<string, string> {
    const lines = Object.entries(describeTree(store, './cache'));
    return Object.fromEntries(
      lines.map(([path, line]) => [path, line.startsWith('40') ? 'a directory' : line]),
    );
  }
}
