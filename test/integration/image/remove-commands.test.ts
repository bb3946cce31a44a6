import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { tsbox } from '../../fixtures/tsbox.ts';
import { busyboxMissing } from './support/layout.ts';
import { isRoot, needsRoot } from './support/store.ts';
import { short, useThreeImages, WEB } from './support/three-images.ts';

describe.skipIf(!isRoot || busyboxMissing !== '')(
  `commands that name, count and remove images${needsRoot}${busyboxMissing}`,
  () => {
    const three = useThreeImages();
    const { out, fails } = three;

    it('tag, rmi: names come and go, the image with the last', () => {
      expect(out('tag', 'base', 'second')).toBe('');
      expect(out('image', 'tag', three.ids.base, 'docker.io/library/third:3')).toBe('');
      expect(out('images', '-q', '--no-trunc', '--filter', 'label=kind=base')).toBe(
        `${three.ids.base}\n`.repeat(3),
      );
      expect(fails('rmi', short(three.ids.base))).toBe(
        `tsbox: conflict: unable to delete ${short(three.ids.base)} (must be forced) - image is referenced in multiple repositories`,
      );
      expect(out('rmi', 'second')).toBe('Untagged: second:latest\n');
      expect(out('image', 'rm', 'third:3')).toBe('Untagged: third:3\n');
      expect(fails('tag', 'nope', 'x')).toContain('there is no image `nope`');
      expect(fails('tag', 'base', 'Upper')).toContain('Upper');
      expect(fails('tag', 'base', `x@sha256:${'0'.repeat(64)}`)).toContain('a digest belongs to the image');
      expect(fails('rmi', 'nope')).toContain('there is no image `nope`');
      expect(tsbox(three.place, ['rmi', '-f', 'nope'])).toMatchObject({ status: 0, stdout: '' });
    });

    it('tag: a name that another image had', () => {
      out('tag', 'base', 'moving');
      out('tag', WEB, 'moving');
      expect(out('images', '-q', '--no-trunc', 'moving')).toBe(`${three.ids.web}\n`);
      expect(out('images', '-q', '--no-trunc', 'base')).toBe(`${three.ids.base}\n`);
      out('rmi', 'moving');
    });

    it('rmi: an image that a container uses', () => {
      const { status } = tsbox(three.place, [
        'run',
        '--name',
        'stopped',
        '--cgroup-parent',
        three.place.cgroupParent,
        'base',
        'true',
      ]);
      expect(status).toBe(0);
      const container = JSON.parse(out('ps', '-a', '--no-trunc', '--format', 'json')).ID.slice(0, 12);
      expect(fails('rmi', 'base')).toBe(
        `tsbox: conflict: unable to remove repository reference "base" (must force) - container ${container} is using its referenced image ${short(three.ids.base)}`,
      );
      expect(fails('rmi', short(three.ids.base))).toBe(
        `tsbox: conflict: unable to delete ${short(three.ids.base)} (must be forced) - image is being used by stopped container ${container}`,
      );
      out('tag', 'base', 'spare');
      expect(out('rmi', 'spare')).toBe('Untagged: spare:latest\n');
      // The container may be started again: only the name goes.
      expect(out('rmi', '-f', 'base')).toBe('Untagged: base:latest\n');
      expect(out('images', '-q', '--no-trunc', '--filter', 'dangling=true')).toBe(
        `${three.ids.base}\n${three.ids.old}\n`,
      );
      expect(fails('rmi', '-f', short(three.ids.base))).toContain(
        '(cannot be forced) - image is being used by stopped container',
      );
      expect(out('image', 'prune', '-f').split('\n')).toEqual([
        'Deleted Images:',
        `deleted: ${three.ids.old}`,
        expect.stringMatching(/^deleted: sha256:/),
        '',
        expect.stringMatching(/^Total reclaimed space: \d+(\.\d+)?kB$/),
        '',
      ]);
      out('tag', three.ids.base, 'base');
      out('rm', 'stopped');
    });

    it('system df: what is there and what of it is used', () => {
      const [head, images, containers] = out('system', 'df')
        .split('\n')
        .map((line) => line.split(/ {2,}/));
      expect(head).toEqual(['TYPE', 'TOTAL', 'ACTIVE', 'SIZE', 'RECLAIMABLE']);
      expect(images?.slice(0, 3)).toEqual(['Images', '2', '0']);
      // Both have busybox, which is there once.
      const busybox = readFileSync('/bin/busybox').length;
      expect(Number.parseFloat(images?.[3] ?? '')).toBeCloseTo((busybox + 1500) / 1e6, 1);
      expect(images?.[4]).toMatch(/MB \(100%\)$/);
      expect(containers).toEqual(['Containers', '0', '0', '0B', '0B']);
      const details = out('system', 'df', '-v');
      expect(details).toMatch(
        /^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE +SHARED SIZE +UNIQUE SIZE +CONTAINERS$/m,
      );
      expect(details).toMatch(/^localhost:5000\/team\/web +1\.0 .* 1\.5kB +0$/m);
      expect(JSON.parse(out('system', 'df', '--format', 'json').split('\n')[0] ?? '')).toMatchObject({
        Type: 'Images',
        TotalCount: '2',
      });
      expect(out('system', 'df', '--format', '{{.Type}}')).toBe('Images\nContainers\nLocal Volumes\n');
    });

    it('image prune: asks, and keeps what it is told to', () => {
      const asked = tsbox(three.place, ['image', 'prune'], 'n\n');
      expect(asked).toMatchObject({ status: 0, stderr: '' });
      expect(asked.stdout).toBe(
        'WARNING! This will remove all dangling images.\nAre you sure you want to continue? [y/N] ',
      );
      expect(out('image', 'prune', '-af', '--filter', 'label!=kind')).toBe('Total reclaimed space: 0B\n');
      expect(out('image', 'prune', '-af', '--filter', 'until=2020-01-02')).toContain(
        'untagged: base:latest\n',
      );
      const { stdout } = tsbox(three.place, ['image', 'prune', '-a'], 'y\n');
      expect(stdout).toContain('untagged: localhost:5000/team/web:1.0\n');
      expect(stdout).toMatch(/Total reclaimed space: \d+(\.\d+)?MB\n$/);
      expect(out('images', '-q')).toBe('');
      expect(three.raw.read().manifests).toEqual([]);
    });
  },
);
