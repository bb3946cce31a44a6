import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sweepImages } from '../../../src/image/store/index.ts';
import { unpackBlob, verifyBlob } from '../../../src/image/unpack-blob.ts';
import { archive, file } from '../../fixtures/tar.ts';
import { filesOf, isRoot, needsRoot, useStore } from './support/store.ts';

const tar = archive(file('etc/motd', 'hello'), file('big', 'x'.repeat(300_000)));
const sha256 = (bytes: Buffer) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const compressed = (program: string) =>
  program === 'cat' ? tar : execFileSync(program, ['-c'], { input: tar });

describe.skipIf(!isRoot)(`unpacking a blob${needsRoot}`, () => {
  const store = useStore();
  const blobOf = (bytes: Buffer) => {
    const path = join(store.root, 'blob');
    writeFileSync(path, bytes);
    return { path, digest: sha256(bytes), diffId: sha256(tar) };
  };

  it.each(['cat', 'gzip', 'zstd', 'xz'])('unpacks what %s wrote, whatever it is called', async (program) => {
    const blob = {
      ...blobOf(compressed(program)),
      mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
    };
    const { layer, bytes } = await unpackBlob(blob);
    expect(bytes).toBe(300_005);
    expect(readFileSync(join(layer.path, 'diff', 'etc/motd'), 'utf8')).toBe('hello');
    expect(await verifyBlob(blob)).toEqual({ bytes: 300_005 });
    layer.release();
    expect(existsSync(layer.path)).toBe(false);
  });

  it.each([
    ['another digest', { digest: `sha256:${'0'.repeat(64)}` }, 'BAD_BLOB', /has the digest sha256:/],
    ['another diff ID', { diffId: `sha256:${'0'.repeat(64)}` }, 'BAD_BLOB', /has the diff ID sha256:/],
    [
      'a foreign layer',
      { mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip' },
      'UNSUPPORTED_LAYER',
      /not distributed/,
    ],
    ['a chart', { mediaType: 'application/tar\x1b[31m+gzip' }, 'UNSUPPORTED_LAYER', /tar\\x1b\[31m\+gzip/],
  ])('refuses %s, and leaves nothing', async (_, change, code, message) => {
    sweepImages();
    const blob = { ...blobOf(compressed('gzip')), ...change };
    const before = filesOf(store.root);
    const expected = { code, message: expect.stringMatching(message) };
    await expect(unpackBlob(blob)).rejects.toMatchObject(expected);
    await expect(verifyBlob(blob)).rejects.toMatchObject(expected);
    expect(filesOf(store.root)).toEqual(before);
  });
});
