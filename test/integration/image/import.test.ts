import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  createReadStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { findImage, importImage } from '../../../src/image/index.ts';
import { archive, directory, file, symlink } from '../../fixtures/tar.ts';
import { filesOf, importBytes, isRoot, needsRoot, useStore } from './support/store.ts';
import { describeTree } from './support/tree.ts';

const alpine = findAlpine();

describe.skipIf(!isRoot)(`importing${needsRoot}`, () => {
  const store = useStore();

  it.skipIf(alpine === undefined)(
    'unpacks the real Alpine as GNU tar does (skipped without it: TSBOX_TEST_ALPINE=TAR)',
    async () => {
      const image = await importImage(alpine as string, 'alpine');
      const expected = join(store.root, 'expected');
      mkdirSync(expected);
      execFileSync('tar', ['-C', expected, '--numeric-owner', '-pxzf', alpine as string]);
      const ours = describeTree(image.layers[0] as string);
      const theirs = describeTree(expected);
      expect(Object.keys(ours).length).toBeGreaterThan(400);
      expect(ours).toEqual(theirs);
      expect(image.size).toBe(bytesIn(theirs));
    },
  );

  it('keeps everything that a tree can have', async () => {
    const tree = join(store.root, 'tree');
    makeTree(tree);
    const tar = join(store.root, 'tree.tar');
    execFileSync('tar', [
      '--format=posix',
      '--xattrs',
      '--xattrs-include=*',
      '--acls',
      '--numeric-owner',
      '-S',
      '-C',
      tree,
      '-cf',
      tar,
      '.',
    ]);
    const image = await importImage(tar);
    const ours = describeTree(image.layers[0] as string);
    expect(Object.keys(ours).length).toBeGreaterThan(20);
    expect(ours['./file']).toContain('security.capability=0x');
    expect(ours['./caf\xe9']).toBeDefined();
    expect(ours).toEqual(describeTree(tree));
    // 50 MB of holes stay holes.
    expect(statSync(join(image.layers[0] as string, 'sparse')).blocks * 512).toBeLessThan(100_000);
  });

  it.each([
    ['plain', 'cat', 'application/vnd.oci.image.layer.v1.tar'],
    ['gzip', 'gzip', 'application/vnd.oci.image.layer.v1.tar+gzip'],
    ['zstd', 'zstd', 'application/vnd.oci.image.layer.v1.tar+zstd'],
    ['xz', 'xz', 'application/vnd.oci.image.layer.v1.tar'],
  ])('keeps what came in %s under its own digests', async (compression, program, mediaType) => {
    const tar = archive(
      directory('./'),
      directory('bin'),
      file('bin/sh', 'x'.repeat(100_000), { mode: 0o755 }),
    );
    const bytes = execFileSync(program, ['-c'].slice(program === 'cat' ? 1 : 0), {
      input: tar,
      maxBuffer: 1 << 26,
    });
    const image = await importBytes(bytes, 'small');
    const blob = (digest: string) => readFileSync(join(store.root, 'images/blobs/sha256', digest.slice(7)));
    const manifest = JSON.parse(blob(image.digest).toString());
    const config = JSON.parse(blob(manifest.config.digest).toString());
    const layer = blob(manifest.layers[0].digest);
    expect(manifest.layers[0]).toMatchObject({ mediaType, size: layer.length, digest: sha256(layer) });
    expect(layer.equals(compression === 'xz' ? tar : bytes)).toBe(true);
    expect(config.rootfs).toEqual({ type: 'layers', diff_ids: [sha256(tar)] });
    expect(image.id).toBe(manifest.config.digest);
    expect(config.config.Cmd).toEqual(['/bin/sh']);
    expect(image.layers).toEqual([join(store.root, 'layers', sha256(tar).slice(7), 'diff')]);
  });

  it('gives no command to an image without a shell, and what was asked for to one that was asked', async () => {
    expect((await importBytes(archive(file('a')), 'a')).config.Cmd).toBeUndefined();
    const tar = join(store.root, 'x.tar');
    writeFileSync(tar, archive(directory('bin'), symlink('bin/sh', '/bin/busybox'), file('bin/busybox')));
    const image = await importImage(tar, 'b', { changes: ['ENV A=1', 'USER 5'], message: 'why' });
    expect(image.config).toEqual({
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'A=1'],
      Cmd: ['/bin/sh'],
      User: '5',
    });
    expect(findImage('b')).toEqual(image);
  });

  it('takes a stream, says how far it is, and unpacks one layer once', async () => {
    const tar = join(store.root, 'x.tar');
    writeFileSync(tar, archive(file('a', 'x'.repeat(1_000_000))));
    const seen: [number, number | undefined][] = [];
    const first = await importImage(tar, 'first', {
      onProgress: (received, total) => seen.push([received, total]),
    });
    expect(seen.length).toBeGreaterThan(2);
    expect(seen.at(-1)).toEqual([statSync(tar).size, statSync(tar).size]);
    const second = await importImage(createReadStream(tar), 'second');
    expect(second.layers).toEqual(first.layers);
    expect(readdirSync(join(store.root, 'layers'))).toHaveLength(1);
  });

  it('fetches an image from the web', async () => {
    const tar = archive(file('a', 'from the web'));
    const server = createServer((request, response) => {
      if (request.url === '/short.tar')
        response.writeHead(200, { 'content-length': tar.length }).end(tar.subarray(0, 700));
      else if (request.url === '/cut.tar')
        response
          .writeHead(200, { 'content-length': tar.length })
          .write(tar.subarray(0, 700), () => response.destroy());
      else if (request.url === '/x.tar') response.writeHead(302, { location: '/y.tar' }).end();
      else if (request.url === '/y.tar') response.end(tar);
      else response.writeHead(404).end('no');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      const image = await importImage(`${base}/x.tar`, 'web');
      expect(readFileSync(join(image.layers[0] as string, 'a'), 'utf8')).toBe('from the web');
      const before = filesOf(store.root);
      await expect(importImage(`${base}/none.tar`)).rejects.toMatchObject({
        code: 'SOURCE_UNREADABLE',
        message: expect.stringContaining('the server answers 404'),
      });
      await expect(importImage(`${base}/cut.tar`)).rejects.toMatchObject({ code: 'SOURCE_UNREADABLE' });
      expect(filesOf(store.root)).toEqual(before);
    } finally {
      server.closeAllConnections();
      server.close();
    }
    await expect(importImage(`${base}/x.tar`)).rejects.toMatchObject({
      code: 'SOURCE_UNREADABLE',
      message: expect.stringMatching(
        /^cannot import `http:\/\/127\.0\.0\.1:\d+\/x\.tar`: .*(ECONNREFUSED|closed)/,
      ),
    });
  });

  it('lets two processes of the store import at once', async () => {
    const tar = archive(file('a', 'x'.repeat(100_000)));
    const images = await Promise.all(
      Array.from({ length: 8 }, (_, index) => importBytes(tar, `name${index}`)),
    );
    expect(new Set(images.map(({ layers }) => layers[0])).size).toBe(1);
    for (const { name } of images) expect(findImage(name).name).toBe(name);
    expect(filesOf(store.root).filter((path) => path.includes('.unfinished'))).toEqual([]);
  });

  const skopeo = spawnSync('skopeo', ['--version']).status === 0;
  it.skipIf(!skopeo)('makes a layout that skopeo reads (skipped without skopeo)', async () => {
    const tar = archive(directory('bin'), file('bin/sh', 'hello'));
    const image = await importBytes(execFileSync('gzip', ['-c'], { input: tar }), 'small:1');
    const inspected = JSON.parse(
      execFileSync('skopeo', ['inspect', '--raw', `oci:${store.root}/images:small:1`], { encoding: 'utf8' }),
    );
    expect(inspected.config.digest).toBe(image.id);
    execFileSync('skopeo', ['copy', '-q', `oci:${store.root}/images:small:1`, `dir:${store.root}/copy`]);
    const layer = readFileSync(join(store.root, 'copy', inspected.layers[0].digest.slice(7)));
    expect(gunzipSync(layer).equals(tar)).toBe(true);
    // And into the layout: what another program adds is seen, and what it wrote is not taken away.
    execFileSync('skopeo', ['copy', '-q', `dir:${store.root}/copy`, `oci:${store.root}/images:copied:2`]);
    expect(findImage('copied:2').id).toBe(image.id);
    await importBytes(archive(file('other')), 'other');
    expect(findImage('copied:2').config.Cmd).toEqual(['/bin/sh']);
  });
});

function makeTree(tree: string): void {
  const run = (script: string) => execFileSync('sh', ['-euc', script], { stdio: 'pipe' });
  run(`
    mkdir ${tree}; cd ${tree}
    mkdir -p dir/sub sticky setgid "$(printf 'd%.0s' $(seq 200))/$(printf 'e%.0s' $(seq 200))"
    echo content > file; ln file hard; ln file dir/sub/hard2; ln -s ../nowhere dangling; ln -s file dir/link; ln dangling hard-link-of-symlink
    cp /bin/true setuid; chmod 4755 setuid; chmod 1777 sticky; chown -h 1234:5678 file dir/link setgid; chmod 2750 setgid; chown 4000000000:3 sticky
    mkfifo fifo; chmod 640 fifo; mknod null c 1 3; chmod 666 null; mknod urandom c 1 9
    truncate -s 50000000 sparse; printf data | dd of=sparse bs=1 seek=20000000 conv=notrunc status=none
    printf x > "$(printf 'caf\\351')"; printf y > 'new
line'; : > empty; echo "$(printf 'n%.0s' $(seq 150))" > "dir/$(printf 'n%.0s' $(seq 150))"; ln -s "$(printf 't%.0s' $(seq 300))" long-target
    chmod 4755 file; setcap cap_net_raw+ep file
    setfattr -n user.text -v hello file; setfattr -n user.binary -v 0x00ff0a3d00 dir; setfattr -h -n trusted.mine -v z dangling
    setfattr -n system.posix_acl_default -v 0x0200000001000700ffffffff04000500ffffffff20000500ffffffff dir
    setfattr -n trusted.special -v q fifo
    touch -h -d '2001-02-03 04:05:06.123456789' dangling; touch -d '1999-12-31 23:59:59.999999999' fifo; touch -d '1960-01-01 00:00:00.5' empty
    touch -d '2010-10-10 10:10:10.101010101' dir/sub; touch -d '2011-11-11 11:11:11.000000001' dir file; touch -d '2012-12-12 12:12:12.5' .
  `);
}

function findAlpine(): string | undefined {
  const { TSBOX_TEST_ALPINE } = process.env;
  if (TSBOX_TEST_ALPINE) return TSBOX_TEST_ALPINE;
  const beside = join(import.meta.dirname, '../../../../shared/images');
  const name =
    existsSync(beside) && readdirSync(beside).find((each) => /^alpine-minirootfs-.*\.tar\.gz$/.test(each));
  return name ? join(beside, name) : undefined;
}

function bytesIn(tree: Record<string, string>): number {
  const files = Object.values(tree).filter(
    (line) => !line.includes('link of') && / [0-9a-f]{64} /.test(line),
  );
  return files.reduce((sum, line) => sum + Number(/ (\d+) [0-9a-f]{64}/.exec(line)?.[1]), 0);
}

function sha256(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
