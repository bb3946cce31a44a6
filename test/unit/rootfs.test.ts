import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const recipes = join(import.meta.dirname, '..', '..', 'rootfs');
const digest = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');
let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'tsbox-rootfs-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe.skipIf(!existsSync('/bin/busybox'))(
  'busybox (skipped without /bin/busybox: apt-get install busybox-static)',
  () => {
    const build = (file: string, options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}) =>
      execFileSync(join(recipes, 'busybox', 'build'), [file], { cwd: directory, stdio: 'pipe', ...options });

    test('twice the same bytes, whatever the umask, the time zone, the language and the clock', () => {
      build('first.tar');
      utimesSync(join(directory, 'first.tar'), 1, 1);
      const env = { ...process.env, TZ: 'Asia/Tokyo', LANG: 'de_DE.UTF-8' };
      execFileSync('sh', ['-c', `umask 077; ${join(recipes, 'busybox', 'build')} second.tar`], {
        cwd: directory,
        env,
        stdio: 'pipe',
      });
      expect(digest(join(directory, 'second.tar'))).toBe(digest(join(directory, 'first.tar')));
    });

    test('has busybox, its applets as links to it, users, and the modes that a root filesystem has', () => {
      build('listed.tar');
      const list = execFileSync('tar', ['--list', '--verbose', '--numeric-owner', '--file', 'listed.tar'], {
        cwd: directory,
        encoding: 'utf8',
      });
      expect(list).toMatch(/^-rwxr-xr-x 0\/0 +\d+ \S+ \S+ \.\/bin\/busybox$/m);
      expect(list).toMatch(/^lrwxrwxrwx 0\/0 .* \.\/bin\/sh -> busybox$/m);
      expect(list).toMatch(/^lrwxrwxrwx 0\/0 .* \.\/usr\/bin\/awk -> \.\.\/\.\.\/bin\/busybox$/m);
      expect(list).toMatch(/^drwxrwxrwt 0\/0 .* \.\/tmp\/$/m);
      expect(list).toMatch(/^drwx------ 0\/0 .* \.\/root\/$/m);
      expect(list).toMatch(/^-rw-r----- 0\/0 .* \.\/etc\/shadow$/m);
      const passwd = execFileSync(
        'tar',
        ['--extract', '--to-stdout', '--file', 'listed.tar', './etc/passwd'],
        { cwd: directory, encoding: 'utf8' },
      );
      expect(passwd.split('\n')[0]).toBe('root:x:0:0:root:/root:/bin/sh');
      // busybox without its licence is not ours to give.
      expect(list).toContain('./usr/share/doc/busybox/copyright');
    });

    test('takes its time from SOURCE_DATE_EPOCH', () => {
      build('dated.tar', { env: { ...process.env, SOURCE_DATE_EPOCH: '1700000000' } });
      const list = execFileSync('tar', ['--list', '--verbose', '--utc', '--file', 'dated.tar'], {
        cwd: directory,
        encoding: 'utf8',
      });
      expect(new Set(list.match(/\d{4}-\d\d-\d\d \d\d:\d\d/g))).toEqual(new Set(['2023-11-14 22:13']));
    });

    test('refuses a busybox that needs shared libraries, and leaves nothing behind', () => {
      const { status, stderr } = spawnSync(join(recipes, 'busybox', 'build'), ['dynamic.tar', '/bin/bash'], {
        cwd: directory,
        encoding: 'utf8',
      });
      expect(status).toBe(1);
      expect(stderr).toBe(
        'rootfs/busybox/build: /bin/bash needs shared libraries: apt-get install busybox-static\n',
      );
      expect(readdirSync(directory).filter((name) => name.startsWith('dynamic'))).toEqual([]);
    });
  },
);

describe.skipIf(process.env.TSBOX_TEST_DEBIAN !== '1')(
  'debian (skipped unless TSBOX_TEST_DEBIAN=1: it downloads 80 MB)',
  () => {
    test('twice the same bytes', { timeout: 600_000 }, () => {
      for (const file of ['first.tar', 'second.tar'])
        execFileSync(join(recipes, 'debian', 'build'), [`debian-${file}`], { cwd: directory, stdio: 'pipe' });
      expect(digest(join(directory, 'debian-second.tar'))).toBe(digest(join(directory, 'debian-first.tar')));
      const list = execFileSync('tar', ['--list', '--file', 'debian-first.tar'], {
        cwd: directory,
        encoding: 'utf8',
      });
      expect(list.split('\n')).toContain('./etc/debian_version');
    });
  },
);
