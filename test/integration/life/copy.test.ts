import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { leavesNothing } from '../support/leftovers.ts';
import { cli, describeRoot, environment, image, scratch, tsbox } from '../support/tsbox.ts';

describeRoot('tsbox cp', () => {
  leavesNothing();
  const top = scratch();
  const here = join(top, 'here');
  const volume = join(top, 'volume');
  beforeAll(() => {
    mkdirSync(volume);
    writeFileSync(join(top, 'mounted'), 'what was there before, and longer\n');
    const mounts = ['-v', `${volume}:/volume`, '-v', `${top}/mounted:/etc/mounted`];
    tsbox(['run', '-d', '--name', 'copy-box', ...mounts, image, 'sleep', '1000']);
    inside(`mkdir -p /tree/sub; echo one > /tree/one; echo two > /tree/sub/two; ln /tree/one /tree/hard
      ln -s one /tree/link; mkfifo /tree/fifo; chown 1234:567 /tree/sub/two; chmod 4750 /tree/sub/two
      touch -d '2001-02-03 04:05:06' /tree/one; ln -s /tree /way`);
  });
  afterAll(() => tsbox(['rm', '-f', 'copy-box']));
  beforeEach(() => {
    rmSync(here, { recursive: true, force: true });
    mkdirSync(here);
  });

  const inside = (script: string) => {
    const { status, stdout, stderr } = tsbox(['exec', 'copy-box', 'sh', '-ec', script]);
    if (status !== 0) throw new Error(`${status}: ${stderr}`);
    return stdout;
  };
  const cp = (...args: string[]) => tsbox(['cp', '-q', ...args], { cwd: here });
  const ok = { status: 0, stdout: '', stderr: '' };

  test('in: over a file that is a mount, which keeps its place', () => {
    writeFileSync(join(here, 'hosts'), '10.1.2.3 elsewhere\n');
    expect(cp('hosts', 'copy-box:/etc/mounted')).toEqual(ok);
    expect(inside('cat /etc/mounted; grep -c " /etc/mounted " /proc/self/mounts')).toBe(
      '10.1.2.3 elsewhere\n1\n',
    );
    expect(readFileSync(join(top, 'mounted'), 'utf8')).toBe('10.1.2.3 elsewhere\n');
    mkdirSync(join(here, 'directory'));
    expect(cp('directory', 'copy-box:/etc/mounted').status).toBe(125);
    const mapped = ['--userns', 'auto', '-v', 'copy-owners:/data', '--name', 'copy-mapped'];
    tsbox(['run', '-d', ...mapped, image, 'sleep', '1000']);
    expect(cp('hosts', 'copy-mapped:/data/hosts')).toEqual(ok);
    const { stdout } = tsbox(['exec', 'copy-mapped', 'stat', '-c', '%u %g', '/data/hosts']);
    expect(stdout).toBe('0 0\n');
    tsbox(['rm', '-f', 'copy-mapped']);
    tsbox(['volume', 'rm', 'copy-owners']);
  });

  test('in: into a container with a user namespace that does not run', () => {
    const flags = ['--userns', 'auto', '-v', 'copy-owners:/data', '--name', 'copy-mapped'];
    const look =
      'stat -c "%n %u %g" / /etc /etc/made /etc/made/file /etc/passwd /home/new /data/file; cat /etc/passwd';
    tsbox(['create', ...flags, image, 'sh', '-c', look]);
    mkdirSync(join(here, 'made'));
    writeFileSync(join(here, 'made/file'), 'x');
    writeFileSync(join(here, 'passwd'), 'root:x:0:0::/:/bin/sh\n');
    expect(cp('made', 'copy-mapped:/etc')).toEqual(ok);
    expect(cp('passwd', 'copy-mapped:/etc/passwd')).toEqual(ok);
    const archive = spawnSync('tar', ['-C', here, '--owner=7', '--group=8', '-c', 'made/file']).stdout;
    const piped = spawnSync(cli, ['cp', '-', 'copy-mapped:/home'], { env: environment(), input: archive });
    expect(piped.status).toBe(0);
    // Its volume is not made before its first start.
    expect(tsbox(['start', '-a', 'copy-mapped']).stdout.split('\n')).toContain('/ 0 0');
    expect(cp('made/file', 'copy-mapped:/data/file')).toEqual(ok);
    expect(cp('made/file', 'copy-mapped:/home/new')).toEqual(ok);
    expect(tsbox(['start', '-a', 'copy-mapped']).stdout.trimEnd().split('\n')).toEqual([
      ...['/ 0 0', '/etc 0 0', '/etc/made 0 0', '/etc/made/file 0 0', '/etc/passwd 0 0'],
      ...['/home/new 0 0', '/data/file 0 0', 'root:x:0:0::/:/bin/sh'],
    ]);
    expect(tsbox(['cp', '-a', 'copy-mapped:/home/made/file', '-']).stdout).toContain('file');
    tsbox(['rm', '-f', 'copy-mapped']);
    tsbox(['volume', 'rm', 'copy-owners']);
  });

  test('out: a tree with everything that is in it', () => {
    expect(cp('copy-box:/tree', '.')).toEqual(ok);
    expect(readFileSync(join(here, 'tree/sub/two'), 'utf8')).toBe('two\n');
    expect(readlinkSync(join(here, 'tree/link'))).toBe('one');
    expect(statSync(join(here, 'tree/hard')).ino).toBe(statSync(join(here, 'tree/one')).ino);
    expect(lstatSync(join(here, 'tree/fifo')).isFIFO()).toBe(true);
    const two = statSync(join(here, 'tree/sub/two'));
    expect([two.uid, two.gid, two.mode & 0o7777]).toEqual([0, 0, 0o4750]);
    expect(statSync(join(here, 'tree/one')).mtime.toISOString()).toBe('2001-02-03T04:05:06.000Z');
    expect(cp('-a', 'copy-box:/tree/sub/two', 'kept')).toEqual(ok);
    expect([statSync(join(here, 'kept')).uid, statSync(join(here, 'kept')).gid]).toEqual([1234, 567]);
  });

  test('out: Docker’s rules for names', () => {
    expect(cp('copy-box:/tree', 'new')).toEqual(ok);
    expect(existsSync(join(here, 'new/one'))).toBe(true);
    expect(cp('copy-box:/tree/.', 'new2')).toEqual(ok);
    expect(existsSync(join(here, 'new2/sub/two'))).toBe(true);
    mkdirSync(join(here, 'there'));
    expect(cp('copy-box:/tree/.', 'there')).toEqual(ok);
    expect(existsSync(join(here, 'there/one'))).toBe(true);
    expect(cp('copy-box:/tree/one', 'there/')).toEqual(ok);
    expect(cp('copy-box:/tree/one', 'nowhere/').stderr).toContain('must exist');
    expect(cp('copy-box:/tree/one', 'nowhere/file').stderr).toContain('does not exist');
    writeFileSync(join(here, 'file'), 'old');
    expect(cp('copy-box:/tree', 'file').stderr).toContain('cannot copy a directory to the file');
    expect(cp('copy-box:/tree/one', 'file')).toEqual(ok);
    expect(readFileSync(join(here, 'file'), 'utf8')).toBe('one\n');
    expect(cp('copy-box:/tree/one/', 'x').stderr).toContain('is not a directory');
    expect(cp('copy-box:/nothing', 'x').stderr).toBe(
      'tsbox: could not find the file /nothing in container copy-box\n',
    );
  });

  test('out: a link itself, or with -L or a slash what it leads to', () => {
    expect(cp('copy-box:/way', 'link')).toEqual(ok);
    expect(readlinkSync(join(here, 'link'))).toBe('/tree');
    rmSync(join(here, 'link'));
    expect(cp('-L', 'copy-box:/way', 'followed')).toEqual(ok);
    expect(existsSync(join(here, 'followed/one'))).toBe(true);
    expect(cp('copy-box:/way/', 'slash')).toEqual(ok);
    expect(existsSync(join(here, 'slash/one'))).toBe(true);
  });

  test('in: files and trees, owned by root unless -a says otherwise', () => {
    mkdirSync(join(here, 'site/css'), { recursive: true });
    writeFileSync(join(here, 'site/index.html'), 'hello');
    writeFileSync(join(here, 'site/css/ü'), 'named');
    execFileSync('chown', ['-R', '4321:432', join(here, 'site')]);
    expect(cp('site', 'copy-box:/srv')).toEqual(ok);
    expect(inside('cat /srv/site/index.html /srv/site/css/ü; stat -c %u:%g /srv/site/index.html')).toBe(
      'hellonamed0:0\n',
    );
    expect(cp('-a', 'site/.', 'copy-box:/srv/kept')).toEqual(ok);
    expect(inside('stat -c %u:%g /srv/kept /srv/kept/index.html')).toBe('4321:432\n4321:432\n');
    expect(cp('site/index.html', 'copy-box:/srv/')).toEqual(ok);
    expect(cp('site/index.html', 'copy-box:/nowhere/').stderr).toContain('must exist');
    expect(cp('site', 'copy-box:/srv/index.html').stderr).toContain('cannot copy a directory to the file');
    expect(cp('site/index.html', 'copy-box:/srv/site/css')).toEqual(ok);
    expect(inside('cat /srv/site/css/index.html')).toBe('hello');
    inside('ln -s /srv/target /srv/alias; echo old > /srv/target');
    expect(cp('site/index.html', 'copy-box:/srv/alias')).toEqual(ok);
    expect(inside('readlink /srv/alias; cat /srv/target')).toBe('/srv/target\nhello');
  });

  test('as an archive, both ways, as tar reads and writes it', () => {
    const archive = spawnSync(cli, ['cp', 'copy-box:/tree', '-'], { env: environment(), maxBuffer: 1 << 24 });
    const { stdout } = spawnSync('tar', ['tv', '--numeric-owner'], {
      input: archive.stdout,
      encoding: 'utf8',
    });
    expect(stdout).toMatch(/-rwsr-x--- 1234\/567\s+4 .* tree\/sub\/two$/m);
    expect(stdout).toMatch(/^l.* tree\/link -> one$/m);
    expect(stdout).toMatch(/^h.* tree\/one link to tree\/hard$/m);
    const made = execFileSync('tar', ['c', '-C', '/etc', '--owner=77', '--group=78', 'hostname']);
    expect(tsbox(['cp', '-', 'copy-box:/srv'], { input: made }).status).toBe(0);
    expect(inside('stat -c %u:%g /srv/hostname')).toBe('77:78\n');
    expect(tsbox(['cp', '-', 'copy-box:/srv'], { input: 'no archive' }).status).toBe(125);
  });

  test('CVE-2018-15664, CVE-2019-14271: no link of the container leads out of it, in either direction', () => {
    writeFileSync(join(top, 'canary'), 'of the host');
    inside(
      `ln -s ${top} /srv/out; ln -s ../../../../../../../..${top} /srv/up; ln -s /proc/1/root /srv/proc; ln -s ${top}/canary /srv/file`,
    );
    for (const link of ['out/canary', 'up/canary', 'proc/etc/passwd'])
      expect(cp(`copy-box:/srv/${link}`, 'stolen').status, link).toBe(125);
    expect(cp('-L', 'copy-box:/srv/file', 'stolen').status).toBe(125);
    writeFileSync(join(here, 'mine'), 'from outside');
    for (const link of ['out/new', 'up/new', 'proc/new']) cp('mine', `copy-box:/srv/${link}`);
    cp('mine', 'copy-box:/srv/file');
    expect(existsSync(join(top, 'new'))).toBe(false);
    expect(readFileSync(join(top, 'canary'), 'utf8')).toBe('of the host');
    // In the archive: a link, and then a file through it.
    mkdirSync(join(here, 'a'));
    symlinkSync(top, join(here, 'a/l'));
    writeFileSync(join(here, 'pwned'), 'pwned');
    const first = execFileSync('tar', ['c', '-C', join(here, 'a'), 'l']);
    const second = execFileSync('tar', ['c', '-C', here, '--transform=s,^,l/,', 'pwned']);
    const both = Buffer.concat([first.subarray(0, 512), second]);
    tsbox(['cp', '-', 'copy-box:/srv'], { input: both });
    expect(existsSync(join(top, 'pwned'))).toBe(false);
  });

  test('while the container changes what is copied: never anything of the host', async () => {
    writeFileSync(join(top, 'canary'), 'of the host');
    inside(`mkdir -p /race/d; echo inside > /race/d/canary`);
    tsbox([
      'exec',
      '-d',
      'copy-box',
      'sh',
      '-c',
      `while :; do mv /race/d /race/e; ln -s ${top} /race/d; rm /race/d; mv /race/e /race/d; done`,
    ]);
    for (let attempt = 0; attempt < 25; attempt++) {
      rmSync(join(here, 'got'), { recursive: true, force: true });
      cp('copy-box:/race/d/canary', 'got');
      if (existsSync(join(here, 'got'))) expect(readFileSync(join(here, 'got'), 'utf8')).toBe('inside\n');
      cp('copy-box:/race', 'got-all');
      writeFileSync(join(here, 'mine'), 'mine');
      cp('mine', 'copy-box:/race/d/written');
      expect(existsSync(join(top, 'written'))).toBe(false);
    }
    tsbox(['exec', 'copy-box', 'sh', '-c', 'kill -9 -1']);
  });

  test('of a container that does not run: its layers, and its volumes', () => {
    writeFileSync(join(volume, 'kept'), 'in the volume');
    tsbox(['stop', '-t', '0', 'copy-box']);
    expect(cp('copy-box:/tree/sub/two', 'two')).toEqual(ok);
    expect(readFileSync(join(here, 'two'), 'utf8')).toBe('two\n');
    expect(cp('copy-box:/etc/passwd', 'passwd')).toEqual(ok);
    expect(cp('copy-box:/volume/kept', 'kept')).toEqual(ok);
    expect(readFileSync(join(here, 'kept'), 'utf8')).toBe('in the volume');
    writeFileSync(join(here, 'new'), 'while stopped');
    expect(cp('new', 'copy-box:/root/new')).toEqual(ok);
    expect(cp('new', 'copy-box:/volume/')).toEqual(ok);
    expect(readFileSync(join(volume, 'new'), 'utf8')).toBe('while stopped');
    expect(cp('-L', 'copy-box:/srv/file', 'stolen').status).toBe(125);
    expect(tsbox(['start', 'copy-box']).status).toBe(0);
    expect(inside('cat /root/new')).toBe('while stopped');
  });

  test('what cannot be meant', () => {
    expect(cp('a', 'b').stderr).toContain('must specify at least one container source');
    expect(cp('copy-box:/a', 'copy-box:/b').stderr).toContain('copying between containers is not supported');
    expect(cp('no-such-box:/a', '.').status).toBe(125);
    expect(tsbox(['cp', 'copy-box:/tree/one', join(here, 'said')]).stderr).toMatch(
      /^Successfully copied 2\.05kB to /,
    );
  });
});
