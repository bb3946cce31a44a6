import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { beforeEach, expect } from 'vitest';
import { loadImages } from '../../../../src/image/archive/index.ts';
import { json, sha256 } from '../../../fixtures/oci-layout.ts';
import { archive, file, type Made } from '../../../fixtures/tar.ts';
import { importBytes, useStore } from './store.ts';
import { describeTree } from './tree.ts';

export const layer = archive(file('a', 'content'));
export const other = archive(file('b', 'content'));
export const architecture = process.arch === 'x64' ? 'amd64' : process.arch;

/** A configuration of an image of `layer`. */
export const configuration = (change: object = {}) =>
  json({
    architecture,
    os: 'linux',
    config: {},
    rootfs: { type: 'layers', diff_ids: [sha256(layer)] },
    ...change,
  });
export const list = (...images: object[]) => file('manifest.json', json(images));
export const image = (change: object = {}) => ({
  Config: 'c.json',
  RepoTags: ['evil:1'],
  Layers: ['l.tar'],
  ...change,
});
/** A docker-archive with nothing wrong. */
export const good = [list(image()), file('c.json', configuration()), file('l.tar', layer)];

/** A store with one image in it and a directory beside it, to see that nothing reached either. */
export function useVictim() {
  const store = useStore();
  const canary = () => join(store.root, 'canary');
  beforeEach(async () => {
    mkdirSync(canary());
    writeFileSync(join(canary(), 'file'), 'alive');
    await importBytes(other, 'kept');
  });

  /** Every byte and attribute, but the times of directories: what was made and removed in them shows there. */
  const everything = () =>
    Object.fromEntries(
      Object.entries(describeTree(store.root)).map(([path, line]) => [
        path,
        /^4/.test(line) ? line.replace(/ \d{18,}/, '') : line,
      ]),
    );

  /** Loads, and expects one clear line, exit code 125, and the store byte for byte as before. */
  async function refuse(source: Buffer | Readable, message: string | RegExp): Promise<void> {
    const before = everything();
    const stream = Buffer.isBuffer(source) ? Readable.from([source]) : source;
    const error = await loadImages(stream).catch((each) => each);
    expect(error).toMatchObject({
      exitCode: 125,
      message:
        typeof message === 'string' ? expect.stringContaining(message) : expect.stringMatching(message),
    });
    expect(error.message).toMatch(/^cannot load `-`: [^\n]+$/);
    expect(everything()).toEqual(before);
  }

  /** A test that an archive of these members is refused. CANARY in a name stands for the real path. */
  const refused = (made: Made[], message: string | RegExp) => () =>
    refuse(archive(...made.map((each) => withCanary(each, canary()))), message);
  return { store, canary, everything, refuse, refused };
}

function withCanary(made: Made, canary: string): Made {
  const linkName = made.linkName && String(made.linkName).replace('CANARY', canary);
  return { ...made, name: String(made.name).replace('CANARY', canary), ...(linkName && { linkName }) };
}
