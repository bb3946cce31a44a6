import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { importImage, type StoredImage } from '../../../../src/image/index.ts';

/** Why the tests of images are skipped, for the name of a describe block. */
export const isRoot = process.geteuid?.() === 0;
export const needsRoot = isRoot ? '' : ' (skipped: needs root)';

/** A store of its own for each test of the file, below a directory that the tests may use too. */
export function useStore(): { directory: string; root: string } {
  const store = { directory: '', root: '' };
  const before = process.env.TSBOX_ROOT;
  beforeAll(() => {
    store.directory = mkdtempSync(join(tmpdir(), 'tsbox-image-'));
  });
  beforeEach(() => {
    store.root = mkdtempSync(join(store.directory, 'store-'));
    process.env.TSBOX_ROOT = store.root;
  });
  afterEach(() => rmSync(store.root, { recursive: true, force: true }));
  afterAll(() => {
    if (before === undefined) delete process.env.TSBOX_ROOT;
    else process.env.TSBOX_ROOT = before;
    rmSync(store.directory, { recursive: true, force: true });
  });
  return store;
}

/** Imports an archive from memory. */
export function importBytes(bytes: Buffer, name?: string): Promise<StoredImage> {
  return importImage(Readable.from([bytes]), name);
}

/** Every file of a store but the content of layers, as paths below it: to see that nothing was left. */
export function filesOf(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => !/\/diff(\/|$)/.test(entry.parentPath.slice(root.length)))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort();
}
