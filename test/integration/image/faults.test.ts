import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { listImages, sweepImages } from '../../../src/image/index.ts';
import { archive, entry, file } from '../../fixtures/tar.ts';
import { cli, describeRoot } from '../support/tsbox.ts';
import { filesOf, importBytes, useStore } from './support/store.ts';

const MEGABYTE = 2 ** 20;

describeRoot('imports that fail half-way', () => {
  const store = useStore();
  const environment = () => ({ ...process.env, TSBOX_ROOT: store.root });
  const unfinished = () =>
    ['images', 'layers']
      .flatMap((part) => readdirSync(join(store.root, part)))
      .filter((name) => name.startsWith('.'));

  it('says that the disk is full, and gives all of it back', () => {
    const tar = join(store.root, 'big.tar');
    writeFileSync(tar, archive(file('small', 'x'), file('big', Buffer.alloc(20 * MEGABYTE, 1))));
    // Plain tar: the blob and the file both go to the store, which has room for one.
    const script = `
      set -eu
      mkdir "$TSBOX_ROOT/disk"
      mount -t tmpfs -o size=30m none "$TSBOX_ROOT/disk"
      TSBOX_ROOT="$TSBOX_ROOT/disk" "$0" "$1" import "$2" big || echo "status $?"
      find "$TSBOX_ROOT/disk" -mindepth 2 | sort
      df --output=used -k "$TSBOX_ROOT/disk" | tail -1`;
    const { stdout, stderr } = spawnSync('unshare', ['-m', 'sh', '-c', script, process.execPath, cli, tar], {
      env: environment(),
      encoding: 'utf8',
    });
    expect(stderr).toContain(
      `cannot import \`${tar}\` into \`${store.root}/disk/images\`: no space is left on its disk`,
    );
    const [status, ...rest] = stdout.trim().split('\n');
    expect(status).toBe('status 125');
    const used = Number(rest.pop());
    expect(rest.map((path) => path.slice(store.root.length))).toEqual([
      '/disk/images/blobs',
      '/disk/images/blobs/sha256',
      '/disk/images/index.json',
      '/disk/images/oci-layout',
    ]);
    expect(used).toBeLessThan(200);
  });

  it('says that there are no inodes left', () => {
    const tar = join(store.root, 'many.tar');
    writeFileSync(tar, archive(...Array.from({ length: 500 }, (_, index) => file(`f${index}`))));
    const script = `
      mkdir "$TSBOX_ROOT/disk" && mount -t tmpfs -o nr_inodes=100 none "$TSBOX_ROOT/disk"
      TSBOX_ROOT="$TSBOX_ROOT/disk" exec "$0" "$1" import "$2" many`;
    const { status, stderr } = spawnSync('unshare', ['-m', 'sh', '-c', script, process.execPath, cli, tar], {
      env: environment(),
      encoding: 'utf8',
    });
    expect(status).toBe(125);
    expect(stderr).toContain('no space is left on its disk (or no inodes)');
  });

  it.each(['gzip', 'zstd', 'xz'])('says that %s data is cut off, at whatever byte', async (program) => {
    const bytes = execFileSync(program, ['-c'], {
      input: archive(file('a', Buffer.alloc(3 * MEGABYTE, 'abc'))),
    });
    await importBytes(archive(file('first')), 'kept');
    const files = filesOf(store.root);
    for (const length of [10, 100, Math.floor(bytes.length / 2), bytes.length - 1]) {
      await expect(importBytes(bytes.subarray(0, length), 'cut')).rejects.toMatchObject({
        code: 'BAD_ARCHIVE',
        exitCode: 125,
        message: expect.stringMatching(/^cannot import `-`: the (gzip|zstd|xz) data is truncated/),
      });
    }
    expect(filesOf(store.root)).toEqual(files);
  });

  it.each([
    ['gzip', ['-9']],
    ['zstd', ['-19']],
    ['xz', ['-0']],
  ])('stops a bomb in %s', async (program, options) => {
    const zeros = join(store.root, 'zeros');
    const header = entry({ name: 'zeros', size: 300 * MEGABYTE }).subarray(0, 512);
    writeFileSync(zeros, header);
    execFileSync('truncate', ['-s', String(512 + 300 * MEGABYTE + 1024), zeros]);
    const bomb = execFileSync(program, ['-q', '-c', ...options, zeros], { maxBuffer: 1 << 26 });
    expect(bomb.length).toBeLessThan(MEGABYTE);
    await expect(importBytes(bomb, 'bomb')).rejects.toMatchObject({
      code: 'BAD_ARCHIVE',
      message: expect.stringContaining('it looks like a decompression bomb'),
    });
    expect(unfinished()).toEqual([]);
  });

  it('leaves nothing after a kill -9, once the next import has begun', async () => {
    await importBytes(archive(file('first')), 'kept');
    const files = filesOf(store.root);
    let left: string[] = [];
    for (const delay of [0, 20, 100]) {
      const child = spawn(process.execPath, [cli, 'import', '-', 'killed'], {
        env: environment(),
        stdio: ['pipe', 'ignore', 'ignore'],
      });
      child.stdin.on('error', () => {});
      child.stdin.write(entry({ name: 'big', size: 50 * MEGABYTE }).subarray(0, 512));
      const piece = Buffer.alloc(MEGABYTE, 7);
      // Half of the content, and never the rest: it has unfinished directories when it dies.
      for (let count = 0; count < 25; count++) child.stdin.write(piece);
      while (unfinished().filter((name) => !left.includes(name)).length < 2) await sleep(5);
      await sleep(delay);
      child.kill('SIGKILL');
      await once(child, 'exit');
      left = unfinished();
    }
    // Whoever begins an import sweeps: the second has removed what the first left, and only the last one's is still there.
    expect(unfinished()).toHaveLength(2);
    await importBytes(archive(file('other')), 'kept2');
    expect(unfinished()).toEqual([]);
    expect(listImages().map(({ name }) => name)).toEqual(['kept:latest', 'kept2:latest']);
    // Three blobs, and a layer with its directory.
    expect(filesOf(store.root)).toHaveLength(files.length + 5);
  });

  it('removes blobs and layers that a kill has left between them and the index', async () => {
    const kept = await importBytes(archive(file('first')), 'kept');
    const files = filesOf(store.root);
    // What publishing leaves when it is killed before its last step, by the same names.
    const hex = '1'.repeat(64);
    mkdirSync(join(store.root, 'layers', hex, 'diff'), { recursive: true });
    mkdirSync(join(store.root, 'images/.unfinished-000000'));
    for (const name of [hex, kept.digest.slice(7)]) {
      writeFileSync(join(store.root, 'images/.unfinished-000000', name), '');
    }
    writeFileSync(join(store.root, 'images/blobs/sha256', hex), 'orphan');
    // Not ours: another program may be about to add it to the index.
    writeFileSync(join(store.root, 'images/blobs/sha256', '2'.repeat(64)), 'being copied');
    sweepImages();
    expect(filesOf(store.root)).toEqual([...files, `images/blobs/sha256/${'2'.repeat(64)}`].sort());
  });

  it('leaves alone what a living import has not finished', async () => {
    const child = spawn(process.execPath, [cli, 'import', '-', 'slow'], {
      env: environment(),
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const bytes = archive(file('a', Buffer.alloc(4 * MEGABYTE, 1)));
    child.stdin.write(bytes.subarray(0, 2 * MEGABYTE));
    // It has begun once both directories are there.
    for (let tries = 0; tries < 400; tries++) {
      const there = ['images', 'layers'].every((part) => {
        try {
          return readdirSync(join(store.root, part)).some((name) => name.startsWith('.'));
        } catch {
          return false;
        }
      });
      if (there) break;
      await sleep(10);
    }
    await importBytes(archive(file('other')), 'other');
    sweepImages();
    child.stdin.end(bytes.subarray(2 * MEGABYTE));
    expect((await once(child, 'exit'))[0]).toBe(0);
    expect(listImages().map(({ name }) => name)).toEqual(['other:latest', 'slow:latest']);
  });

  it('takes no more memory for 300 MB than for 30', async () => {
    const small = await peakMemory(30);
    const large = await peakMemory(300);
    expect(large).toBeLessThan(150 * MEGABYTE);
    expect(large - small).toBeLessThan(40 * MEGABYTE);

    async function peakMemory(megabytes: number): Promise<number> {
      const child = spawn(process.execPath, [cli, 'import', '-', `size${megabytes}`], {
        env: environment(),
        stdio: ['pipe', 'ignore', 'inherit'],
      });
      const exit = once(child, 'exit');
      let peak = 0;
      const look = setInterval(() => {
        try {
          const status = readFileSync(`/proc/${child.pid}/status`, 'latin1');
          peak = Math.max(peak, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024);
        } catch {
          // It is gone.
        }
      }, 5);
      const piece = Buffer.alloc(MEGABYTE, 'some content');
      child.stdin.write(entry({ name: 'big', size: megabytes * MEGABYTE }).subarray(0, 512));
      for (let count = 0; count < megabytes; count++) {
        if (!child.stdin.write(piece)) await once(child.stdin, 'drain');
      }
      child.stdin.end(Buffer.alloc(1024));
      expect((await exit)[0]).toBe(0);
      clearInterval(look);
      return peak;
    }
  });
});

describe('without root', () => {
  it('says what is missing', () => {
    const { status, stderr } = spawnSync(process.execPath, [cli, 'import', '-', 'x'], {
      ...(process.geteuid?.() === 0 && { uid: 65534, gid: 65534 }),
      env: { ...process.env, TSBOX_ROOT: '/nowhere' },
      input: archive(file('a')),
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([125, expect.stringContaining('root')]);
  });
});
