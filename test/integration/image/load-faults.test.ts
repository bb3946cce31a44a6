import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { loadImages } from '../../../src/image/archive/index.ts';
import { findImage, listImages } from '../../../src/image/index.ts';
import { json, sha256 } from '../../fixtures/oci-layout.ts';
import { archive, entry, file } from '../../fixtures/tar.ts';
import { cli, describeRoot } from '../support/tsbox.ts';
import { filesOf, importBytes, useStore } from './support/store.ts';

const MEGABYTE = 2 ** 20;
const config = (...layers: Buffer[]) =>
  json({ os: 'linux', rootfs: { type: 'layers', diff_ids: layers.map(sha256) } });
/** A docker-archive of these layers. */
const saved = (...layers: Buffer[]) =>
  archive(
    ...layers.map((layer, index) => file(`${index}/layer.tar`, layer)),
    file('c.json', config(...layers)),
    file(
      'manifest.json',
      json([
        { Config: 'c.json', RepoTags: ['saved:1'], Layers: layers.map((_, index) => `${index}/layer.tar`) },
      ]),
    ),
  );

describeRoot('loads that fail half-way', () => {
  const store = useStore();

  it('says that the disk is full, and gives all of it back', () => {
    const tar = join(store.root, 'big.tar');
    writeFileSync(tar, saved(archive(file('big', Buffer.alloc(20 * MEGABYTE, 1)))));
    // The blob and the file both go to the store, which has room for one.
    const script = `
      set -eu
      mkdir "$TSBOX_ROOT/disk"
      mount -t tmpfs -o size=30m none "$TSBOX_ROOT/disk"
      TSBOX_ROOT="$TSBOX_ROOT/disk" "$0" "$1" load -i "$2" || echo "status $?"
      find "$TSBOX_ROOT/disk" -mindepth 2 | sort`;
    const { stdout, stderr } = spawnSync('unshare', ['-m', 'sh', '-c', script, process.execPath, cli, tar], {
      env: { ...process.env, TSBOX_ROOT: store.root },
      encoding: 'utf8',
    });
    expect(stderr).toContain(`cannot load \`${tar}\` into \`${store.root}/disk/images\`: no space is left`);
    const [status, ...rest] = stdout.trim().split('\n');
    expect(status).toBe('status 125');
    expect(rest.map((path) => path.slice(store.root.length))).toEqual([
      '/disk/images/blobs',
      '/disk/images/blobs/sha256',
      '/disk/images/index.json',
      '/disk/images/oci-layout',
    ]);
  });

  describe('bombs', () => {
    const zeros = (): string => {
      const path = join(store.root, 'zeros');
      writeFileSync(path, entry({ name: 'zeros', size: 300 * MEGABYTE }).subarray(0, 512));
      execFileSync('truncate', ['-s', String(512 + 300 * MEGABYTE + 1024), path]);
      return path;
    };
    const refused = async (bytes: Buffer) => {
      await importBytes(archive(file('first')), 'kept');
      const before = filesOf(store.root);
      await expect(loadImages(Readable.from([bytes]))).rejects.toMatchObject({
        code: 'BAD_ARCHIVE',
        message: expect.stringMatching(/^cannot load `-`: .* looks like a decompression bomb$/),
      });
      expect(filesOf(store.root)).toEqual(before);
    };

    it('as the whole archive', async () => {
      const path = zeros();
      await refused(execFileSync('zstd', ['-q', '-c', path], { maxBuffer: 1 << 26 }));
    });

    it('as a layer of it', async () => {
      const path = zeros();
      const layer = execFileSync('gzip', ['-9', '-c', path], { maxBuffer: 1 << 26 });
      const diffId = `sha256:${execFileSync('sha256sum', [path], { encoding: 'latin1' }).slice(0, 64)}`;
      const made = [
        file('l.tar', layer),
        file('c.json', json({ rootfs: { diff_ids: [diffId] } })),
        file('manifest.json', json([{ Config: 'c.json', RepoTags: null, Layers: ['l.tar'] }])),
      ];
      await refused(archive(...made));
    });
  });

  it('is right the next time after each kill -9, and leaves nothing over', async () => {
    const layers = ['below', 'above'].map((name) =>
      archive(
        ...Array.from({ length: 300 }, (_, index) =>
          file(`${name}/${index}`, `${name} ${index} `.repeat(900)),
        ),
      ),
    );
    const path = join(store.root, 'saved.tar');
    writeFileSync(path, saved(...layers));
    await importBytes(archive(file('first')), 'kept');
    const env = { ...process.env, TSBOX_ROOT: store.root };
    let killed = 0;
    for (let delay = 0; delay < 20; delay++) {
      const child = spawn(process.execPath, [cli, 'load', '-i', path], { env, stdio: 'ignore' });
      // A load takes some 300 ms here, of which the first 100 are Node's.
      await Promise.race([sleep(100 + delay * 15), once(child, 'exit')]);
      if (child.exitCode === null && child.kill('SIGKILL')) {
        await once(child, 'exit');
        killed++;
      }
      // What a killed one has left is no image, or a whole one.
      const names = listImages().map(({ name }) => name);
      expect(names.filter((name) => name !== 'saved:1')).toEqual(['kept:latest']);
      if (names.includes('saved:1')) execFileSync(process.execPath, [cli, 'rmi', 'saved:1'], { env });
    }
    expect(killed).toBeGreaterThan(0);
    await loadImages(path);
    const { layers: directories } = findImage('saved:1');
    for (const [index, name] of ['below', 'above'].entries()) {
      const directory = join(directories[index] as string, name);
      expect(readdirSync(directory)).toHaveLength(300);
      expect(readFileSync(join(directory, '299'), 'utf8')).toBe(`${name} 299 `.repeat(900));
    }
    const left = filesOf(store.root).filter((each) => each !== 'saved.tar');
    // Of two images: a layer, a configuration and a manifest; two layers and the same.
    expect(left.filter((each) => each.startsWith('images/blobs/sha256/'))).toHaveLength(7);
    expect(left.filter((each) => /^layers\/[^/]*$/.test(each))).toEqual([
      ...Array(3).fill(expect.stringMatching(/^layers\/[0-9a-f]{64}$/)),
      // That of the two layers, which describe no directories, nobody had to put anything right.
      expect.stringMatching(/-attributes$/),
    ]);
    expect(left.filter((each) => each.includes('.unfinished'))).toEqual([]);
  });
});
