import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { findImageAgain } from '../../../../src/image/store/find-again.ts';

let root: string;
const layer = 'a'.repeat(64);

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tsbox-find-'));
  vi.stubEnv('TSBOX_ROOT', root);
  mkdirSync(join(root, 'images/blobs/sha256'), { recursive: true });
  mkdirSync(join(root, 'layers', layer, 'diff'), { recursive: true });
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true, force: true });
});

function blob(content: object) {
  const text = JSON.stringify(content);
  const hex = createHash('sha256').update(text).digest('hex');
  writeFileSync(join(root, 'images/blobs/sha256', hex), text);
  return { digest: `sha256:${hex}`, size: text.length };
}

/** The text of an index.json with one image, whose command tells it from others. */
function indexOf(command: string): string {
  const rootfs = { type: 'layers', diff_ids: [`sha256:${layer}`] };
  const config = blob({ architecture: 'amd64', os: 'linux', config: { Cmd: [command] }, rootfs });
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const layers = [
    { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: `sha256:${layer}`, size: 1 },
  ];
  const annotations = { 'org.opencontainers.image.ref.name': 'one:latest', 'tsbox.unpacked-size': '1' };
  const type = 'application/vnd.oci.image.config.v1+json';
  const manifest = blob({ schemaVersion: 2, mediaType, config: { mediaType: type, ...config }, layers });
  return JSON.stringify({ schemaVersion: 2, manifests: [{ mediaType, ...manifest, annotations }] });
}

const index = () => join(root, 'images/index.json');
const later = () => vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 1000);

test('an image that is asked for again is the same one', () => {
  writeFileSync(index(), indexOf('a'));
  later();
  const image = findImageAgain('one');
  expect(image.config.Cmd).toEqual(['a']);
  expect(findImageAgain('one')).toBe(image);
});

test('an index that was replaced is read again', () => {
  writeFileSync(index(), indexOf('a'));
  later();
  findImageAgain('one');
  writeFileSync(`${index()}.new`, indexOf('b'));
  renameSync(`${index()}.new`, index());
  expect(findImageAgain('one').config.Cmd).toEqual(['b']);
});

test('an index that may change within a tick of the clock is not believed', () => {
  writeFileSync(index(), indexOf('a'));
  expect(findImageAgain('one').config.Cmd).toEqual(['a']);
  // In place, of the same size, and too soon to have another time.
  writeFileSync(index(), indexOf('b'));
  expect(findImageAgain('one').config.Cmd).toEqual(['b']);
});

test('an image whose layers were removed is no more there', () => {
  writeFileSync(index(), indexOf('a'));
  later();
  findImageAgain('one');
  rmSync(join(root, 'layers', layer), { recursive: true });
  expect(() => findImageAgain('one')).toThrow(expect.objectContaining({ code: 'LAYER_MISSING' }));
});

test('a name is another image in another store', () => {
  writeFileSync(index(), indexOf('a'));
  later();
  findImageAgain('one');
  vi.stubEnv('TSBOX_ROOT', join(root, 'other'));
  expect(() => findImageAgain('one')).toThrow(expect.objectContaining({ code: 'IMAGE_NOT_FOUND' }));
});
