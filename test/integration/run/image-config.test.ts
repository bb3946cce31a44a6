import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectNothingLeft, makePlace, type Place } from '../../fixtures/leftovers.ts';
import { archive, directory, file, symlink } from '../../fixtures/tar.ts';
import { box, tsbox } from '../../fixtures/tsbox.ts';
import { busyboxMissing, busyboxTar, named, RawStore } from '../image/support/layout.ts';
import { isRoot, needsRoot } from '../image/support/store.ts';

/** An image of one layer with each of the configuration's fields (OCI image-spec, config.md), written by nothing of ours. */
describe.skipIf(!isRoot || busyboxMissing !== '')(
  `run honours what the image says${needsRoot}${busyboxMissing}`,
  () => {
    let place: Place;
    const config = {
      User: 'bob',
      ExposedPorts: { '80/tcp': {}, '53/udp': {} },
      Env: ['PATH=/bin', 'FROM=image', 'EQUALS=a=b'],
      Entrypoint: ['sh', '-c', 'echo "$0" "$@"; id -un; pwd; echo "$FROM $EQUALS"; ls -ld /data'],
      Cmd: ['one', 'two words'],
      Volumes: { '/data/deep': {}, '/link/inside': {} },
      WorkingDir: '/made/for/it',
      Labels: { 'org.example.a': 'x y', b: '' },
      StopSignal: 'SIGUSR1',
      Healthcheck: { Test: ['CMD', 'true'], Interval: 30_000_000_000, Retries: 3 },
      OnBuild: ['RUN true'],
      Shell: ['/bin/sh', '-c'],
      ArgsEscaped: true,
    };
    beforeAll(() => {
      place = makePlace();
      const raw = new RawStore(place.root);
      const links = archive(directory('real'), symlink('link', '/real'), file('real/kept', 'kept'));
      raw.index(
        named(raw.image([busyboxTar(), links], config), 'full'),
        named(
          raw.image([busyboxTar()], { Cmd: null, Env: null, Entrypoint: null, Labels: null, Volumes: null }),
          'bare',
        ),
      );
    });
    afterAll(async () => {
      await expectNothingLeft(place);
      place.remove();
    });

    it('entrypoint, command, user, environment, working directory and volumes', () => {
      const { status, stdout } = box(place, 'full');
      expect(status).toBe(0);
      expect(stdout.split('\n').slice(0, 4)).toEqual(['one two words', 'bob', '/made/for/it', 'image a=b']);
      expect(stdout).toMatch(/^drwxr-xr-x .* \/data$/m);
    });

    it('unless the command line says otherwise', () => {
      const { stdout } = box(place, '-u', '0', '-w', '/', '-e', 'FROM=flag', 'full', 'x');
      expect(stdout.split('\n').slice(0, 4)).toEqual(['x', 'root', '/', 'flag a=b']);
      expect(box(place, '--entrypoint', 'echo', 'full').stdout).toBe('\n');
      expect(box(place, '--entrypoint', 'echo', 'full', 'y').stdout).toBe('y\n');
    });

    it('makes a volume where its links lead, inside, and hides nothing of the image', () => {
      const { stdout } = box(place, '--entrypoint', 'sh', 'full', '-c', 'ls /real /data; cat /link/kept');
      expect(stdout).toBe('/data:\ndeep\n\n/real:\ninside\nkept\nkept');
    });

    it('has no command where the image has none', () => {
      expect(box(place, 'bare')).toMatchObject({
        status: 125,
        stderr: expect.stringContaining('tsbox: no command given and the image has none\n'),
      });
      expect(box(place, 'bare', '/bin/pwd').stdout).toBe('/\n');
    });

    it('keeps the rest for those who ask', () => {
      const details = JSON.parse(tsbox(place, ['image', 'inspect', 'full']).stdout)[0];
      expect(details.Config).toMatchObject(config);
      expect(details).toMatchObject({ RepoTags: ['full:latest'], Os: 'linux', RootFS: { Type: 'layers' } });
      const ask = (template: string) => tsbox(place, ['image', 'inspect', '-f', template, 'full']).stdout;
      expect(ask('{{index .Config.Labels "org.example.a"}} {{.Config.StopSignal}}')).toBe('x y SIGUSR1\n');
      expect(ask('{{range $p, $_ := .Config.ExposedPorts}}{{$p}} {{end}}')).toBe('53/udp 80/tcp \n');
      expect(ask('{{.Config.Healthcheck.Interval}} {{json .Config.Cmd}}')).toBe(
        '30000000000 ["one","two words"]\n',
      );
      const bare = JSON.parse(tsbox(place, ['image', 'inspect', 'bare']).stdout)[0].Config;
      expect(bare).toEqual({
        Hostname: '',
        Domainname: '',
        User: '',
        AttachStdin: false,
        AttachStdout: false,
        AttachStderr: false,
        Tty: false,
        OpenStdin: false,
        StdinOnce: false,
        Env: null,
        Cmd: null,
        Image: '',
        Volumes: null,
        WorkingDir: '',
        Entrypoint: null,
        OnBuild: null,
        Labels: null,
      });
    });
  },
);
