import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { describeRoot, image, inside, refused, scratch, store, tsbox } from '../support/tsbox.ts';
import { makeImage } from './make-image.ts';
import { failed, record, removesAll, said } from './support.ts';

const volumes = join(store, 'volumes');
const data = (name: string, ...path: string[]) => join(volumes, name, '_data', ...path);

describeRoot('volumes', () => {
  const outside = scratch();
  removesAll();
  beforeAll(() => said('volume', 'prune', '-af'));

  test('outlive containers, and others see them', () => {
    expect(inside(['-v', 'shared:/a'], 'echo hello > /a/file; stat -c %U:%a /a')).toBe('root:755\n');
    expect(inside(['--mount', 'source=shared,target=/b,readonly'], 'cat /b/file')).toBe('hello\n');
    expect(tsbox(['run', '--rm', '-v', 'shared:/b:ro', image, 'touch', '/b/x']).stderr).toMatch(/Read-only/);
    expect(said('volume', 'ls', '--format', '{{.Driver}} {{.Name}}')).toBe('local shared');
    expect(readFileSync(data('shared', 'file'), 'utf8')).toBe('hello\n');
    expect(statSync(volumes).mode & 0o777).toBe(0o700);
    expect(said('volume', 'rm', 'shared')).toBe('shared');
    expect(existsSync(join(volumes, 'shared'))).toBe(false);
  });

  test('volume ls knows their labels', () => {
    said('volume', 'create', '--label', 'tier=back', 'labelled');
    const format = '{{.Name}} {{.Label "tier"}}';
    expect(said('volume', 'ls', '-f', 'name=labelled', '--format', format)).toBe('labelled back');
    said('volume', 'rm', 'labelled');
  });

  test('are filled with what the image has there, once, with owners, modes, links and attributes', () => {
    makeImage(
      `mkdir -p d/sub; echo one > d/file; ln d/file d/again; ln -s file d/link; mkfifo -m 620 d/fifo; cp /bin/true d/set
       chown 7:8 d/file; chown -h 9:9 d/link; chmod 4711 d/set; chmod 1777 d/sub; chown 5:6 d; chmod 750 d
       touch -d @1234567890 d/file; setfattr -n user.note -v hi d/file; printf '\\303\\050' > d/name; mv d/name "$(printf 'd/\\377')"`,
      'full',
      'VOLUME /d',
    );
    said('run', '--rm', '-v', 'full:/d', 'full', 'true');
    const script = `cd "$0"; stat -c '%n %u:%g %a %h %F %Y' . again fifo file link set sub | sed 's/ [0-9]*$//'
      stat -c %Y file; readlink link; cat again; stat -c %i file again | uniq | wc -l; getfattr -n user.note --only-values file; ls | wc -l`;
    const shown = spawnSync('sh', ['-ec', script, data('full')], { encoding: 'utf8' });
    expect(shown.stderr).toBe('');
    expect(shown.stdout.split('\n')).toEqual([
      '. 5:6 750 3 directory',
      'again 7:8 644 2 regular file',
      'fifo 0:0 620 1 fifo',
      'file 7:8 644 2 regular file',
      'link 9:9 777 1 symbolic link',
      'set 0:0 4711 1 regular file',
      'sub 0:0 1777 2 directory',
      '1234567890',
      'file',
      'one',
      '1',
      'hi7',
      '',
    ]);
    // Empty is empty, also when somebody has emptied it; a second container does not fill what has something in it.
    expect(said('run', '--rm', '-v', 'full:/d', 'full', 'sh', '-c', 'rm -r /d/*; touch /d/mine; ls /d')).toBe(
      'mine',
    );
    expect(said('run', '--rm', '-v', 'full:/d', 'full', 'ls', '/d')).toBe('mine');
    expect(said('run', '--rm', '-v', 'bare:/d:nocopy', 'full', 'ls', '-A', '/d')).toBe('');
    // The image's own volume, which nobody named: whole, and gone.
    const before = readdirSync(volumes);
    expect(said('run', '--rm', 'full', 'sh', '-c', 'cat /d/file; rm /d/file; mount | grep -c " /d "')).toBe(
      'one\n1',
    );
    expect(readdirSync(volumes)).toEqual(before);
    said('rmi', 'full');
  });

  test('a link in the image leads no filling out of it', () => {
    // The kind of CVE-2018-15664: the place of a volume is a link to the host.
    const host = scratch();
    writeFileSync(join(host, 'secret'), 'of the host');
    makeImage(
      `mkdir -p .${host}; touch .${host}/own; ln -s ${host} out; ln -s ../../../../../../..${host} up`,
      'evil',
    );
    for (const place of ['out', 'up']) {
      said('run', '--rm', '-v', `${place}:/${place}`, 'evil', 'true');
      expect(readdirSync(data(place))).toEqual(['own']);
    }
    said('rmi', 'evil');
  });

  test('without a name go with a container that removes itself, and with rm -v', () => {
    const before = readdirSync(volumes).length;
    expect(inside(['-v', '/anonymous'], 'touch /anonymous/x; ls /anonymous')).toBe('x\n');
    expect(readdirSync(volumes)).toHaveLength(before);
    said('run', '-d', '--name', 'kept', '-v', '/anonymous', '-v', 'named:/named', image, 'sleep', '100');
    const [use] = record(said('inspect', '-f', '{{.Id}}', 'kept')).volumes;
    expect(use).toMatchObject({ anonymous: true, destination: '/anonymous' });
    expect(existsSync(data(use.name))).toBe(true);
    said('rm', '-f', 'kept');
    expect(existsSync(data(use.name))).toBe(true);
    said('run', '--name', 'other', '-v', `${use.name}:/again`, '-v', '/more', image, 'true');
    const more = record(said('inspect', '-f', '{{.Id}}', 'other')).volumes[1];
    said('rm', '-v', 'other');
    expect(existsSync(data(more.name))).toBe(false);
    // It has a name to this container, as in Docker.
    expect(existsSync(data(use.name))).toBe(true);
    expect(existsSync(data('named'))).toBe(true);
    expect(said('volume', 'prune', '-f')).toMatch(new RegExp(`^Deleted Volumes:[\\s\\S]*${use.name}`));
    expect(existsSync(data(use.name))).toBe(false);
    expect(existsSync(data('named'))).toBe(true);
  });

  test('are not removed while a container has them', () => {
    said('create', '--name', 'user', '-v', 'used:/u', image, 'true');
    const id = said('inspect', '-f', '{{.Id}}', 'user');
    expect(failed(tsbox(['volume', 'rm', 'used']))).toEqual({
      status: 125,
      stderr: `tsbox: volume used is in use by container user (${id.slice(0, 12)})`,
    });
    said('volume', 'prune', '-af');
    expect(said('volume', 'ls', '-q', '--filter', 'dangling=false')).toBe('used');
    expect(said('volume', 'ls', '-q', '--filter', 'dangling=true')).toBe('');
    expect(JSON.parse(said('inspect', 'user'))[0].Mounts).toEqual([
      {
        Type: 'volume',
        Name: 'used',
        Source: data('used'),
        Destination: '/u',
        Driver: 'local',
        Mode: '',
        RW: true,
        Propagation: '',
      },
    ]);
    expect(said('system', 'df')).toMatch(/^Local Volumes +1 +1 +0B +0B$/m);
    said('rm', 'user');
    said('volume', 'rm', 'used');
    expect(failed(tsbox(['volume', 'rm', 'used'])).stderr).toBe('tsbox: no such volume: used');
    expect(said('volume', 'rm', '-f', 'used')).toBe('used');
  });

  test('keep the container’s own ids in a user namespace', () => {
    expect(inside(['--userns', 'auto', '-v', 'mapped:/m'], 'touch /m/x; stat -c %u:%g /m /m/x')).toBe(
      '0:0\n0:0\n',
    );
    expect(statSync(data('mapped', 'x')).uid).toBe(0);
    chownSync(data('mapped', 'x'), 1000, 1001);
    chmodSync(data('mapped', 'x'), 0o640);
    expect(inside(['--userns', 'auto', '-v', 'mapped:/m'], 'stat -c %u:%g:%a /m/x')).toBe('1000:1001:640\n');
  });

  describe('a directory of one', () => {
    const part = (path: string, more = '') => [
      '--mount',
      `type=volume,source=parts,target=/p,volume-subpath=${path}${more}`,
    ];
    beforeEach(() => {
      inside(['-v', 'parts:/v'], 'mkdir -p /v/a/b; echo in b > /v/a/b/file; echo above > /v/a/above');
    });
    afterEach(() => said('volume', 'rm', '-f', 'parts'));

    test('is all that the container sees of it', () => {
      expect(inside(part('a/b'), 'ls -A /p; cat /p/file; echo new > /p/new')).toBe('file\nin b\n');
      expect(readFileSync(data('parts', 'a/b/new'), 'utf8')).toBe('new\n');
      expect(tsbox(['run', '--rm', ...part('a/b', ',readonly'), image, 'touch', '/p/x']).stderr).toMatch(
        /Read-only/,
      );
      expect(inside(['--userns', 'auto', ...part('a')], 'stat -c %u:%g /p/above; touch /p/mine')).toBe(
        '0:0\n',
      );
      expect(statSync(data('parts', 'a/mine')).uid).toBe(0);
      // Nothing of the image is copied there.
      expect(inside([...part('a/b').map((word) => word.replace('/p,', '/etc/ssl,'))], 'ls /etc/ssl')).toBe(
        'file\nnew\n',
      );
    });

    test('must be there, and its volume too', () => {
      expect(refused(part('a/none'))).toBe('tsbox: volume parts: a/none is not there');
      expect(refused(part('a/above'))).toBe('tsbox: volume parts: a/above is not a directory');
      expect(refused(['--mount', 'source=no-parts,target=/p,volume-subpath=a'])).toBe(
        'tsbox: no such volume: no-parts',
      );
      expect(existsSync(join(volumes, 'no-parts'))).toBe(false);
      expect(failed(tsbox(['create', ...part('a/none'), image, 'true']))).toEqual({
        status: 125,
        stderr: 'tsbox: volume parts: a/none is not there',
      });
      expect(said('ps', '-aq')).toBe('');
    });

    test('a link of the volume leads to another place in it, and never out of it (CVE-2021-25741, CVE-2023-3676)', () => {
      inside(['-v', 'parts:/v'], 'ln -s ../a/b /v/a/to-b');
      expect(inside(part('a/to-b'), 'cat /p/file')).toBe('in b\n');
      for (const target of ['/', '/etc', '../..', '../../../../../etc', '/proc/self/root', data('parts')]) {
        inside(['-v', 'parts:/v'], `ln -sfn ${target} /v/a/out`);
        expect(refused(part('a/out'))).toBe('tsbox: volume parts: a/out leads out of it');
        expect(refused(part('a/out/.'))).toBe('tsbox: volume parts: a/out leads out of it');
      }
      inside(['-v', 'parts:/v'], 'ln -sfn out /v/a/out');
      expect(refused(part('a/out'))).toBe('tsbox: volume parts: a/out is a link that leads nowhere');
    });

    test('whoever exchanges links meanwhile gains nothing', () => {
      writeFileSync(join(outside, 'file'), 'outside\n');
      const swap = `cd "$0"; while :; do ln -s b x; mv -T x swapped; ln -s ${outside} y; mv -T y swapped; done`;
      const swapping = spawn('sh', ['-ec', swap, data('parts', 'a')], { stdio: 'ignore' });
      try {
        const seen = Array.from({ length: 16 }, () =>
          tsbox(['run', '--rm', '--network', 'none', ...part('a/swapped'), image, 'cat', '/p/file']),
        );
        for (const { stdout, stderr, status } of seen)
          expect(status === 0 ? stdout : stderr).toMatch(/^in b\n$|leads out of|swapped is not there/);
        expect(seen.some(({ status }) => status !== 0)).toBe(true);
      } finally {
        swapping.kill('SIGKILL');
      }
    });

    test('is looked for at each start, and by cp', () => {
      said('create', '--name', 'parted', '--network', 'none', ...part('a/b'), image, 'cat', '/p/file');
      expect(said('start', '-a', 'parted')).toBe('in b');
      writeFileSync(join(outside, 'given'), 'given\n');
      said('cp', join(outside, 'given'), 'parted:/p/given');
      expect(readFileSync(data('parts', 'a/b/given'), 'utf8')).toBe('given\n');
      renameSync(data('parts', 'a/b'), data('parts', 'a/c'));
      symlinkSync(outside, data('parts', 'a/b'));
      for (const args of [
        ['start', '-a', 'parted'],
        ['cp', join(outside, 'given'), 'parted:/p/other'],
        ['cp', 'parted:/p/given', '-'],
      ]) {
        const { status, stderr } = tsbox(args);
        expect(status, args[0]).not.toBe(0);
        expect(stderr).toMatch(/a\/b leads out of it/);
      }
      expect(readdirSync(outside).sort()).toEqual(['file', 'given']);
      said('rm', 'parted');
    });
  });

  test('are made with labels, listed, shown and pruned by them', () => {
    expect(said('volume', 'create', '--label', 'env=test', 'one')).toBe('one');
    expect(said('volume', 'create', '--label', 'env=live', 'two')).toBe('two');
    expect(said('volume', 'create', 'one')).toBe('one');
    expect(said('volume', 'ls', '-qf', 'label=env')).toBe('one\ntwo');
    expect(said('volume', 'ls', '-qf', 'label=env=live')).toBe('two');
    expect(said('volume', 'inspect', '-f', '{{.Name}} {{.Labels.env}} {{.Scope}}', 'one')).toBe(
      'one test local',
    );
    expect(JSON.parse(said('volume', 'inspect', 'two'))[0]).toMatchObject({
      Driver: 'local',
      Labels: { env: 'live' },
      Mountpoint: data('two'),
      Options: null,
    });
    writeFileSync(data('one', 'file'), 'x'.repeat(2000));
    expect(said('volume', 'prune', '-af', '--filter', 'label!=env=live')).toMatch(
      /\none\n\nTotal reclaimed space: 2kB$/,
    );
    expect(said('volume', 'ls', '-qf', 'label=env')).toBe('two');
    said('volume', 'rm', 'two');
  });

  test('stand for a directory of the host, and for nothing that would have to be mounted there', () => {
    const directory = scratch();
    said('volume', 'create', '-o', 'type=none', '-o', 'o=bind', '-o', `device=${directory}`, 'there');
    expect(inside(['-v', 'there:/t'], 'echo x > /t/made')).toBe('');
    expect(readFileSync(join(directory, 'made'), 'utf8')).toBe('x\n');
    said('volume', 'rm', 'there');
    expect(readdirSync(directory)).toEqual(['made']);
    const create = (...args: string[]) => failed(tsbox(['volume', 'create', ...args]));
    expect(create('-o', 'type=tmpfs', '-o', 'device=tmpfs', 'xx')).toEqual({
      status: 125,
      stderr: 'tsbox: volume create: type=tmpfs,o="" would need a mount on the host',
    });
    expect(create('-o', 'o=bind', '-o', 'device=/not/there', 'xx').stderr).toContain('is not a directory');
    expect(create('-d', 'nfs', 'xx').stderr).toContain('no volume driver `nfs`');
    expect(create('../x').status).toBe(125);
    expect(refused(['-v', '../x/y:/v'])).toContain('is not there');
  });

  test('what a killed tsbox left of one is gone with the next', () => {
    mkdirSync(join(volumes, '.new-half', '_data'), { recursive: true });
    mkdirSync(join(volumes, '.gone-1234', '_data'), { recursive: true });
    said('volume', 'create', 'whole');
    expect(readdirSync(volumes).filter((name) => name.startsWith('.'))).toEqual([]);
    mkdirSync(join(volumes, 'whole', '.fill', 'half'), { recursive: true });
    expect(inside(['-v', 'whole:/bin'], 'ls /bin | wc -l')).not.toBe('0\n');
    expect(readdirSync(join(volumes, 'whole')).sort()).toEqual(['_data', 'volume.json']);
    writeFileSync(join(volumes, 'whole', 'volume.json'), '{"name":');
    expect(said('volume', 'ls', '-qf', 'name=who')).toBe('whole');
    said('volume', 'rm', 'whole');
  });
});
