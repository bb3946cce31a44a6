import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { leavesNothing } from '../support/leftovers.ts';
import { describeRoot, image, inside, run, scratch } from '../support/tsbox.ts';

describeRoot('programs people run', () => {
  leavesNothing();

  test('pipelines', () => {
    expect(inside([], 'seq 1 1000 | grep 7 | sort -rn | head -n 3 | tr "\\n" ,')).toBe('997,987,979,');
    expect(inside([], 'find / -xdev -path /bin/busybox -type f | xargs ls -l | wc -l')).toBe('1\n');
  });

  test('many processes', () => {
    expect(inside([], 'n=0; while [ $n -lt 500 ]; do (exit 0); n=$((n+1)); done; echo $n')).toBe('500\n');
    expect(
      inside(
        [],
        'n=0; while [ $n -lt 100 ]; do sleep 2 & n=$((n+1)); done; set -- /proc/[0-9]*; echo $#; wait; echo all ended',
      ),
    ).toBe('101\nall ended\n');
  });

  test('files: owners, modes, links, big ones', () => {
    const script = `cd /tmp; echo x > f; chown 12:34 f; chmod 4751 f; ln f hard; ln -s f soft; mkfifo pipe; touch -d '2001-02-03 04:05:06' f
      stat -c '%n %a %u:%g %h' f; readlink soft; [ -p pipe ] && echo fifo; stat -c %Y f
      dd if=/dev/zero of=big bs=1M count=64 2>/dev/null; stat -c %s big; mv /etc/hostname-not /x 2>/dev/null || mv f /root/f && ls /root/f; rm -rf /usr/share; ls -d /usr/share 2>/dev/null || echo removed`;
    expect(inside([], script)).toBe('f 4751 12:34 2\nf\nfifo\n981173106\n67108864\n/root/f\nremoved\n');
  });

  test('what is removed or renamed is so only in its own layer', () => {
    inside([], 'rm -rf /lib/apk /root /etc/passwd; mv /home /other; ls -d /other');
    expect(inside([], 'ls -d /etc /root /home')).toBe('/etc\n/home\n/root\n');
  });

  test('sockets on its own loopback', () => {
    expect(
      inside([], '(echo answer | nc -l -p 80 -w 5 > /dev/null) & sleep 0.3; nc 127.0.0.1 80 < /dev/null'),
    ).toBe('answer\n');
  });

  test('an arithmetic of the time: it has the time of the host', () => {
    const seconds = Number(inside([], 'date +%s'));
    expect(Math.abs(seconds - Date.now() / 1000)).toBeLessThan(30);
  });

  test('a chroot, another user, a background process', () => {
    expect(
      inside(
        [],
        'mkdir /c; for d in /bin /lib; do [ ! -e $d ] || cp -a $d /c; done; chroot /c /bin/sh -c "[ ! -e /etc ] && ls -d /bin"',
      ),
    ).toBe('/bin\n');
    expect(inside([], 'su -s /bin/sh nobody -c "id -un"')).toBe('nobody\n');
    expect(
      inside(
        [],
        '(sleep 60 < /dev/null > /dev/null 2>&1 &); sleep 0.1; pidof sleep > /dev/null && echo runs',
      ),
    ).toBe('runs\n');
  });
});

describeRoot(`Alpine${image === 'alpine' ? '' : ' (skipped: no Alpine to import)'}`, () => {
  leavesNothing();
  const alpine = test.skipIf(image !== 'alpine');
  const directory = scratch();

  alpine('it is', () => {
    expect(run([], ['cat', '/etc/os-release']).stdout).toMatch(
      /^NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3\./,
    );
  });

  alpine('apk', () => {
    expect(run([], ['apk', '--version']).stdout).toMatch(/^apk-tools 2\.\d+\.\d+/);
    expect(run([], ['apk', 'info']).stdout.split('\n')).toEqual(
      expect.arrayContaining(['alpine-baselayout', 'busybox', 'musl']),
    );
    expect(run([], ['apk', 'info', '--who-owns', '/bin/busybox']).stdout).toMatch(
      /^\/bin\/busybox is owned by busybox-1\./,
    );
  });

  beforeAll(() => {
    // A package as abuild makes it, but for its signature: a gzip of control files, and one of data.
    const root = join(directory, 'package');
    // For the root of a user namespace too, which is a stranger here.
    chmodSync(directory, 0o755);
    mkdirSync(join(root, 'data', 'usr', 'bin'), { recursive: true });
    mkdirSync(join(root, 'control'));
    writeFileSync(join(root, 'data', 'usr', 'bin', 'hello'), '#!/bin/sh\necho hello from a package\n', {
      mode: 0o755,
    });
    const sh = (script: string) =>
      execFileSync('sh', ['-ec', script], { cwd: root, encoding: 'utf8' }).trim();
    sh(
      'tar -C data --format=pax --pax-option=APK-TOOLS.checksum.SHA1:=$(sha1sum data/usr/bin/hello | cut -c1-40) --owner=0 --group=0 --no-recursion -czf data.tar.gz usr usr/bin usr/bin/hello',
    );
    const lines = [
      'pkgname = hello',
      'pkgver = 1.0-r0',
      'pkgdesc = test',
      'url = http://example.org',
      'size = 100',
      'arch = noarch',
      'license = MIT',
      `datahash = ${sh('sha256sum data.tar.gz | cut -d" " -f1')}`,
    ];
    writeFileSync(join(root, 'control', '.PKGINFO'), `${lines.join('\n')}\n`);
    sh(
      'tar -C control --format=ustar --owner=0 --group=0 -cf control.tar .PKGINFO; head -c 1024 control.tar | gzip > control.tar.gz; cat control.tar.gz data.tar.gz > ../hello-1.0-r0.apk',
    );
  });

  alpine('apk add, of a package that is a file', () => {
    const script =
      'apk add --no-network --allow-untrusted /p/hello-1.0-r0.apk > /dev/null 2>&1; hello; apk info -e hello; apk del --no-network hello > /dev/null 2>&1; ls /usr/bin/hello 2>/dev/null || echo removed';
    expect(inside(['-v', `${directory}:/p:ro`], script)).toBe('hello from a package\nhello\nremoved\n');
    expect(inside(['--userns', 'auto', '-v', `${directory}:/p:ro`], script)).toBe(
      'hello from a package\nhello\nremoved\n',
    );
  });
});
