import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import { applyLayer } from '../../../../src/image/layer/index.ts';
import { archive, type Made } from '../../../fixtures/tar.ts';
import { describeTree } from './tree.ts';

/**
 * A layer's directory with things around it that no archive may touch: before, beside and above it. In the entries, CANARY stands for
 * the real path of that tree.
 */
export interface Surrounded {
  root: string;
  layer: string;
  /** Unpacks the entries, and fails if anything around the layer is not as it was. */
  apply(...entries: Made[]): Promise<void>;
  /** The same with an archive that is made already. */
  applyBytes(bytes: Buffer): Promise<void>;
  /** The code and the message with which it is refused; `applied` where it is not. */
  outcome(...entries: Made[]): Promise<string>;
}

export function useCanary(): Surrounded {
  const all: Surrounded = { root: '', layer: '', apply, applyBytes, outcome };
  let before: Record<string, string>;
  beforeEach(() => {
    all.root = mkdtempSync(join(tmpdir(), 'tsbox-canary-'));
    all.layer = join(all.root, 'up', 'layer');
    mkdirSync(all.layer, { recursive: true });
    execFileSync('sh', ['-ec', AROUND, 'sh', all.root]);
    before = around();
  });
  afterEach(() => rmSync(all.root, { recursive: true, force: true }));
  return all;

  function around(): Record<string, string> {
    return describeTree(all.root, './up/layer');
  }

  async function applyBytes(bytes: Buffer): Promise<void> {
    try {
      await applyLayer(inPieces(bytes), all.layer);
    } finally {
      expect(around()).toEqual(before);
    }
  }

  async function apply(...entries: Made[]): Promise<void> {
    const here = (name: string | Buffer) =>
      typeof name === 'string' ? name.replace('CANARY', all.root) : name;
    const real = entries.map((made) => ({
      ...made,
      name: here(made.name),
      ...(made.linkName !== undefined && { linkName: here(made.linkName) }),
    }));
    await applyBytes(archive(...real));
  }

  async function outcome(...entries: Made[]): Promise<string> {
    try {
      await apply(...entries);
      return 'applied';
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      if (code === undefined) throw error;
      return `${code}: ${message.replaceAll(all.root, 'CANARY')}`;
    }
  }
}

/** Content, modes, owners, times and extended attributes that would be seen to change. */
const AROUND = `
  cd "$1"
  echo alive > file && chmod 0600 file && chown 7:8 file && setfattr -n user.canary -v alive file
  echo hard > linked && ln linked linked2
  mkdir -m 0700 private && echo deep > private/file && setfattr -n user.canary -v alive private
  mkdir -p up/etc && echo root > up/etc/passwd && ln -s ../file up/link && mkfifo up/fifo
  touch -h -d 2001-01-01 file linked private/file private up/etc/passwd up/etc up/link up/fifo
  touch -d 2002-02-02 up .`;

async function* inPieces(bytes: Buffer) {
  for (let at = 0; at < bytes.length; at += 65536) yield bytes.subarray(at, at + 65536);
}
