import { spawn } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectNothingLeft, makePlace, type Place } from '../../fixtures/leftovers.ts';
import { type Layout, sha256, writeLayout } from '../../fixtures/oci-layout.ts';
import { archive, file } from '../../fixtures/tar.ts';
import { box, CLI, tsbox } from '../../fixtures/tsbox.ts';
import { busyboxMissing, busyboxTar, MACHINE, named, OCI, skopeo, skopeoMissing } from './support/layout.ts';
import { isRoot, needsRoot } from './support/store.ts';

describe.skipIf(!isRoot || skopeoMissing !== '' || busyboxMissing !== '')(
  `the store and skopeo${needsRoot}${skopeoMissing}${busyboxMissing}`,
  () => {
    let place: Place;
    let layout: Layout;
    let target: string;
    beforeAll(() => {
      place = makePlace();
      layout = writeLayout(join(place.root, 'layout'), {
        layers: [{ tar: busyboxTar() }],
        config: { Cmd: ['sh', '-c', 'echo hello'] },
      });
      target = `oci:${join(place.root, 'images')}`;
    });
    afterAll(async () => {
      await expectNothingLeft(place);
      place.remove();
    });

    it('runs what skopeo has copied in, and says that it unpacks it, once', () => {
      skopeo('copy', `oci:${layout.path}:latest`, `${target}:web:1`);
      expect(box(place, 'web:1')).toEqual({
        status: 0,
        signal: null,
        stdout: 'hello\n',
        stderr: 'tsbox: unpacking `web:1`: layer 1 of 1\n',
      });
      expect(box(place, 'web:1')).toMatchObject({ stdout: 'hello\n', stderr: '' });
    });

    it('gives images to skopeo as they came', () => {
      expect(JSON.parse(skopeo('inspect', `${target}:web:1`))).toMatchObject({
        Digest: layout.descriptor.digest,
      });
      skopeo('copy', `${target}:web:1`, `oci:${place.root}/out:x`);
      const copied = readFileSync(join(place.root, 'out/blobs/sha256', layout.descriptor.digest.slice(7)));
      expect(copied.equals(layout.manifest)).toBe(true);
      tsbox(place, ['tag', 'web:1', 'web:2']);
      skopeo('inspect', `${target}:web:2`);
    });

    it('keeps its own images and their notes when skopeo rewrites the index', () => {
      skopeo('copy', `oci:${layout.path}:latest`, `${target}:third`);
      const ids = tsbox(place, ['images', '--format', '{{.Repository}}:{{.Tag}}']).stdout;
      expect(ids.split('\n').filter(Boolean).sort()).toEqual(['third:latest', 'web:1', 'web:2']);
      expect(box(place, 'web:2').stderr).toBe('');
    });

    it('is unpacked by one of several that run it at once', async () => {
      const other = writeLayout(join(place.root, 'other'), {
        layers: [{ tar: busyboxTar() }, { tar: archive(file('big', Buffer.alloc(40_000_000, 'x'))) }],
        config: { Cmd: ['sh', '-c', 'echo hello'] },
      });
      skopeo('copy', `oci:${other.path}:latest`, `${target}:race`);
      const said = await Promise.all([1, 2, 3].map(() => runAsync(place, 'race')));
      expect(said.map(({ status, stdout }) => [status, stdout])).toEqual(Array(3).fill([0, 'hello\n']));
      const unpacked = said.filter(({ stderr }) => stderr.includes('layer 2 of 2'));
      expect(unpacked).toHaveLength(1);
    });

    it('takes an image for several machines, whole', () => {
      const blobs = join(layout.path, 'blobs/sha256');
      const child = { ...layout.descriptor, platform: { os: 'linux', architecture: MACHINE } };
      const bytes = Buffer.from(
        JSON.stringify({ schemaVersion: 2, mediaType: `${OCI}.index.v1+json`, manifests: [child] }),
      );
      writeFileSync(join(blobs, sha256(bytes).slice(7)), bytes);
      const line = { mediaType: `${OCI}.index.v1+json`, digest: sha256(bytes), size: bytes.length };
      const index = { schemaVersion: 2, manifests: [named(line, 'all')] };
      writeFileSync(join(layout.path, 'index.json'), JSON.stringify(index));
      skopeo('copy', '--all', `oci:${layout.path}:all`, `${target}:all`);
      expect(box(place, 'all').stdout).toBe('hello\n');
      skopeo('copy', '--all', `${target}:all`, `oci:${place.root}/all:x`);
      expect(statSync(join(place.root, 'all/blobs/sha256', line.digest.slice(7))).size).toBe(bytes.length);
    });
  },
);

function runAsync(
  place: Place,
  image: string,
): Promise<{ status: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [CLI, 'run', '--rm', '--cgroup-parent', place.cgroupParent, image], {
    env: place.environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text) => {
    said.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    said.stderr += text;
  });
  return new Promise((resolve) => child.on('close', (status) => resolve({ status, ...said })));
}
