import { execFileSync, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadImages } from '../../../src/image/archive/index.ts';
import { findImage, removeImage, sweepImages } from '../../../src/image/index.ts';
import { unpackImage } from '../../../src/image/unpack-image.ts';
import { expectNothingLeft, makePlace, type Place } from '../../fixtures/leftovers.ts';
import { type Layout, writeLayout } from '../../fixtures/oci-layout.ts';
import { archive, directory, file, symlink } from '../../fixtures/tar.ts';
import { CLI, printed, tsbox } from '../../fixtures/tsbox.ts';
import { pushLayout } from '../support/images.ts';
import { type Registry, registryMissing, startRegistry } from '../support/registry.ts';
import { askContainerd, containerdMissing } from './support/containerd.ts';
import { ACL, DIRECTORIES, EXPECTED, LAYERS } from './support/implied-layers.ts';
import { busyboxMissing, busyboxTar, skopeo, skopeoMissing } from './support/layout.ts';
import { filesOf, isRoot, needsRoot, useStore } from './support/store.ts';

const skipped = !isRoot || skopeoMissing !== '' || busyboxMissing !== '';

describe.skipIf(skipped)(
  `directories that layers leave out${needsRoot}${skopeoMissing}${busyboxMissing}`,
  () => {
    const store = useStore();
    let place: Place;
    let layout: Layout;
    let registry: Registry | undefined;
    beforeAll(async () => {
      place = makePlace();
      layout = writeLayout(join(place.root, 'layout'), {
        layers: [busyboxTar(), ...LAYERS].map((tar) => ({ tar })),
      });
      if (registryMissing === undefined) registry = await startRegistry();
    });
    afterAll(async () => {
      await registry?.stop();
      await expectNothingLeft(place);
      place.remove();
    });

    const oci = (path: string) => join(path, 'i.tar');
    const save = (directoryOf: string) => {
      skopeo('copy', '-q', `oci:${layout.path}:latest`, `oci-archive:${oci(directoryOf)}:web:1`);
      return oci(directoryOf);
    };
    const show = (name: string) =>
      printed(
        place,
        '--pull',
        'never',
        name,
        'sh',
        '-c',
        `cd / && busybox stat -c '%n %a %u:%g' ${DIRECTORIES.join(' ')}`,
      )
        .trim()
        .split('\n');
    const layersOf = () => readdirSync(join(place.root, 'layers'));

    it.skipIf(containerdMissing !== '')(`are what containerd makes of them${containerdMissing}`, () => {
      const script = `stat -c '%n %a %u:%g' ${DIRECTORIES.join(' ')}; getfattr -d -e hex -m - var/lib/app shared`;
      const said = askContainerd(layout, script).trim().split('\n');
      expect(said.slice(0, EXPECTED.length)).toEqual(EXPECTED);
      expect(said.join('\n')).toContain('user.note=0x6b657074');
      expect(said.join('\n')).toContain(`system.posix_acl_default=0x${ACL.toString('hex')}`);
    });

    it('are so in an image that was loaded, and nothing of it stays', () => {
      expect(tsbox(place, ['load', '-q', '-i', save(place.root)])).toMatchObject({ status: 0, stderr: '' });
      expect(show('web:1')).toEqual(EXPECTED);
      expect(layersOf().filter((name) => name.endsWith('-attributes'))).toEqual([
        `${layout.config.digest.slice(7)}-attributes`,
      ]);
      expect(tsbox(place, ['rmi', 'web:1']).status).toBe(0);
      expect(layersOf()).toEqual([]);
    });

    it('are so in an image that skopeo has copied in', () => {
      skopeo('copy', '-q', `oci:${layout.path}:latest`, `oci:${join(place.root, 'images')}:copied`);
      // Unpacks it, and says so.
      tsbox(place, ['run', '--rm', '--cgroup-parent', place.cgroupParent, 'copied', 'true']);
      expect(show('copied')).toEqual(EXPECTED);
      expect(tsbox(place, ['image', 'prune', '-a', '-f']).status).toBe(0);
      expect(layersOf()).toEqual([]);
    });

    it.skipIf(registryMissing !== undefined)(
      `are so in an image that was pulled${registryMissing ? ` (skipped: ${registryMissing})` : ''}`,
      () => {
        const name = `${registry?.host}/implied:1`;
        pushLayout(layout, name);
        expect(tsbox(place, ['pull', '-q', name])).toMatchObject({ status: 0, stderr: '' });
        expect(show(name)).toEqual(EXPECTED);
        expect(tsbox(place, ['rmi', name]).status).toBe(0);
        expect(layersOf()).toEqual([]);
      },
    );

    it('keep times and extended attributes too', async () => {
      await loadImages(save(store.root));
      const { layers } = findImage('web:1');
      expect(layers).toHaveLength(5);
      const mounted = join(store.root, 'mounted');
      mkdirSync(mounted);
      const script = `
        mount -t overlay -o "lowerdir=$1" none "$2"; cd "$2"
        stat -c '%n %Y' tmp var var/lib var/lib/app opt opt/tool
        getfattr -d -e hex -m '^(user|system|trusted)' var/lib/app shared shared/sub emptied`;
      const said = execFileSync(
        'unshare',
        ['-m', 'sh', '-euc', script, 'sh', layers.toReversed().join(':'), mounted],
        {
          encoding: 'utf8',
        },
      );
      expect(said.trim().split('\n')).toEqual([
        'tmp 1000',
        'var 2000',
        'var/lib 3000',
        'var/lib/app 4000',
        'opt 77',
        'opt/tool 0',
        '# file: var/lib/app',
        'user.note=0x6b657074',
        '',
        '# file: shared',
        `system.posix_acl_default=0x${ACL.toString('hex')}`,
      ]);
    });

    it('are unpacked where the attributes layer is missing, and left where another image has the layers', async () => {
      const other = writeLayout(join(store.root, 'other'), {
        layers: [busyboxTar(), ...LAYERS].map((tar) => ({ tar })),
        config: { Cmd: ['true'] },
      });
      await loadImages(save(store.root));
      skopeo('copy', '-q', `oci:${other.path}:latest`, `oci:${join(store.root, 'images')}:other`);
      const image = await unpackImage('other');
      const top = image.layers.at(-1) ?? '';
      expect(top).toBe(join(store.root, 'layers', `${other.config.digest.slice(7)}-attributes/diff`));
      expect(removeImage('web:1').deleted).toEqual([layout.config.digest]);
      expect(findImage('other').layers).toEqual(image.layers);
      rmSync(join(top, '..'), { recursive: true });
      expect(() => findImage('other')).toThrow(expect.objectContaining({ code: 'LAYER_MISSING' }));
      await unpackImage('other');
      expect(findImage('other').layers).toEqual(image.layers);
      removeImage('other');
      expect(readdirSync(join(store.root, 'layers'))).toEqual([]);
    });

    it('cost no layer where no other has them', async () => {
      writeLayout(join(store.root, 'plain'), {
        layers: [archive(directory('a')), archive(file('b/x')), archive(file('b/y'))].map((tar) => ({ tar })),
      });
      skopeo('copy', '-q', `oci:${store.root}/plain:latest`, `oci-archive:${oci(store.root)}:plain:1`);
      await loadImages(oci(store.root));
      expect(findImage('plain:1').layers).toHaveLength(3);
      removeImage('plain:1');
      expect(readdirSync(join(store.root, 'layers'))).toEqual([]);
    });

    it('are found behind symbolic links of their layer, and never outside it', async () => {
      const canary = join(store.directory, 'canary');
      mkdirSync(join(canary, 'sub'), { recursive: true, mode: 0o700 });
      const before = execFileSync('stat', ['-c', '%n %a %u %Y', canary, join(canary, 'sub')], {
        encoding: 'utf8',
      });
      writeLayout(join(store.root, 'links'), {
        layers: [
          archive(
            directory('run', { mode: 0o711 }),
            directory('run/foo', { mode: 0o770, uid: 7 }),
            directory('out', { mode: 0o777 }),
            directory('out/sub', { mode: 0o777 }),
          ),
          archive(directory('run'), directory('var'), symlink('var/run', '/run'), file('var/run/foo/x')),
          archive(symlink('out', canary)),
          archive(file('out/sub/x')),
        ].map((tar) => ({ tar })),
      });
      skopeo('copy', '-q', `oci:${store.root}/links:latest`, `oci-archive:${oci(store.root)}:links:1`);
      await loadImages(oci(store.root));
      const top = findImage('links:1').layers.at(-1) ?? '';
      const found = execFileSync('sh', ['-c', `cd "$1" && find . -printf '%p %m %U\n' | sort`, 'sh', top], {
        encoding: 'utf8',
      });
      expect(found.trim().split('\n')).toEqual(['. 755 0', './run 755 0', './run/foo 770 7']);
      expect(
        execFileSync('stat', ['-c', '%n %a %u %Y', canary, join(canary, 'sub')], { encoding: 'utf8' }),
      ).toBe(before);
    });

    it.each(['load', 'run'] as const)(
      'leave nothing after a kill -9 of %s at random moments',
      async (command) => {
        const root = mkdtempSync(join(store.directory, 'killed-'));
        const tar = save(store.root);
        const environment = { ...process.env, TSBOX_ROOT: root };
        const args = {
          load: ['load', '-q', '-i', tar],
          run: ['run', '--rm', '--pull', 'never', '--cgroup-parent', place.cgroupParent, 'web:1', 'true'],
        }[command];
        const start = () => spawn(process.execPath, [CLI, ...args], { env: environment, stdio: 'ignore' });
        const prepare = () => {
          // Not what is known of containers: the next start removes what is left of those that were killed.
          for (const part of ['images', 'layers']) rmSync(join(root, part), { recursive: true, force: true });
          if (command === 'run')
            skopeo('copy', '-q', `oci:${layout.path}:latest`, `oci:${root}/images:web:1`);
        };
        prepare();
        const began = performance.now();
        await once(start(), 'exit');
        const whole = performance.now() - began;
        const names = (part: string) => readdirSync(join(root, part)).sort();
        const expectedLayers = names('layers');
        expect(expectedLayers).toHaveLength(5);
        process.env.TSBOX_ROOT = root;
        for (let round = 0; round < 15; round++) {
          prepare();
          const child = start();
          await sleep(randomInt(Math.ceil(whole)));
          child.kill('SIGKILL');
          if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
          sweepImages();
          const left = names('layers');
          if (command === 'load') expect([[], expectedLayers]).toContainEqual(left);
          else expect(expectedLayers).toEqual(expect.arrayContaining(left));
          if (round % 5 !== 4) continue;
          await once(start(), 'exit');
          expect(names('layers')).toEqual(expectedLayers);
          expect(findImage('web:1').layers).toHaveLength(5);
          removeImage('web:1');
          expect(names('layers')).toEqual([]);
        }
      },
      240_000,
    );

    it('of no image are swept', async () => {
      await loadImages(save(store.root));
      const files = filesOf(store.root);
      const [name = ''] = readdirSync(join(store.root, 'layers')).filter((each) =>
        each.endsWith('-attributes'),
      );
      cpSync(join(store.root, 'layers', name), join(store.root, 'layers', `${'0'.repeat(64)}-attributes`), {
        recursive: true,
      });
      sweepImages();
      expect(filesOf(store.root)).toEqual(files);
    });
  },
);
