import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { leavesNothing } from '../support/leftovers.ts';
import { cli, describeRoot, environment, image, inside, refused, run, scratch } from '../support/tsbox.ts';

describeRoot('volumes', () => {
  leavesNothing();
  const directory = scratch();
  const source = join(directory, 'source');

  beforeAll(() => {
    mkdirSync(join(source, 'sub'), { recursive: true });
    writeFileSync(join(source, 'file'), 'from the host\n');
  });

  /** Runs a script in a mount namespace of its own, where it may mount what it likes. `$RUN` runs a container. */
  function withMounts(script: string): string {
    const RUN = `${cli} run --rm`;
    return execFileSync('unshare', ['-m', '--propagation', 'private', 'sh', '-ec', script], {
      env: { ...environment(), RUN, IMAGE: image, AT: directory },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  test('a directory, both ways', () => {
    expect(inside(['-v', `${source}:/v`], 'cat /v/file; echo from inside > /v/made; chmod 640 /v/made')).toBe(
      'from the host\n',
    );
    expect(readFileSync(join(source, 'made'), 'utf8')).toBe('from inside\n');
    expect(statSync(join(source, 'made'))).toMatchObject({ uid: 0, gid: 0, mode: 0o100640 });
  });

  test(':ro', () => {
    expect(run(['-v', `${source}:/v:ro`], ['sh', '-c', 'cat /v/file; touch /v/x'])).toEqual({
      status: 1,
      stdout: 'from the host\n',
      stderr: 'touch: /v/x: Read-only file system\n',
    });
  });

  test('one file, also over one that tsbox provides', () => {
    expect(inside(['-v', `${source}/file:/new/place/f`], 'cat /new/place/f')).toBe('from the host\n');
    expect(inside(['-v', `${source}/file:/etc/hosts:ro`], 'cat /etc/hosts')).toBe('from the host\n');
  });

  test('a source relative to here', () => {
    expect(inside(['-v', './source:/v'], 'cat /v/file', { cwd: directory })).toBe('from the host\n');
    expect(inside(['-v', '.:/v', '-w', '/v/source'], 'cat file', { cwd: directory })).toBe('from the host\n');
  });

  test('--mount type=bind', () => {
    const mount = `type=bind,src=${source},dst=/v,ro`;
    expect(run(['--mount', mount], ['sh', '-c', 'cat /v/file; touch /v/x'])).toMatchObject({
      status: 1,
      stdout: 'from the host\n',
    });
  });

  test('mount options are the kernel’s', () => {
    const script = 'grep " /v " /proc/self/mountinfo | cut -d" " -f6';
    expect(inside(['-v', `${source}:/v:nosuid,noexec,nodev`], script)).toMatch(/^rw,nosuid,nodev,noexec,/);
  });

  test('inside one another, whatever their order', () => {
    const flags = ['-v', `${source}/sub:/v/sub/deep`, '--tmpfs', '/v/sub', '-v', `${source}:/v`];
    expect(inside(flags, 'cut -d" " -f5 /proc/self/mountinfo | grep ^/v | sort; cat /v/file')).toBe(
      '/v\n/v/sub\n/v/sub/deep\nfrom the host\n',
    );
  });

  test('at a symlink of the image, at what it leads to inside (CVE-2021-30465)', () => {
    expect(inside(['-v', `${source}:/var/run`], 'cat /run/file')).toBe('from the host\n');
    symlinkSync('/', join(source, 'root'));
    const flags = ['-v', `${source}:/v`, '-v', `${source}/sub:/v/root/etc/climbed`];
    expect(inside(flags, 'ls -d /etc/climbed')).toBe('/etc/climbed\n');
    expect(() => statSync('/etc/climbed')).toThrow('ENOENT');
  });

  test('read-only for what is mounted below the source too', () => {
    const script = `mkdir -p $AT/top/below; mount -t tmpfs t $AT/top/below
      $RUN -v $AT/top:/v:ro $IMAGE sh -c 'touch /v/below/x 2>&1; ls /v/below'
      $RUN -v $AT/top:/v $IMAGE sh -c 'touch /v/below/y 2>&1; ls /v/below'`;
    expect(withMounts(script)).toBe('touch: /v/below/x: Read-only file system\ny\n');
  });

  test.each([
    ['', 'nothing'],
    [':rslave', 'late'],
    [':rshared', 'late'],
  ])('propagation %j: a mount made later on the host brings %s', (word, seen) => {
    const script = `mkdir -p $AT/shared; mount -t tmpfs t $AT/shared; mount --make-shared $AT/shared; mkdir $AT/shared/sub
      (while [ ! -e $AT/shared/up ]; do sleep 0.05; done
       mount -t tmpfs t $AT/shared/sub; touch $AT/shared/sub/late $AT/shared/go) &
      $RUN -v $AT/shared:/v${word} $IMAGE sh -c 'touch /v/up; while [ ! -e /v/go ]; do sleep 0.05; done; ls /v/sub'
      wait`;
    expect(withMounts(script)).toBe(seen === 'nothing' ? '' : 'late\n');
  });

  test('propagation rshared: a mount made inside comes out, with rslave it does not', () => {
    const script = `mkdir -p $AT/out; mount -t tmpfs t $AT/out; mount --make-shared $AT/out
      for word in rshared rslave; do mkdir $AT/out/$word
        $RUN --cap-add SYS_ADMIN -v $AT/out:/v:$word $IMAGE sh -c "mount -t tmpfs t /v/$word && touch /v/$word/made"
        ls $AT/out/$word; done`;
    expect(withMounts(script)).toBe('made\n');
  });

  test('bad ones are refused', () => {
    expect(refused(['-v', '/not/there:/v'])).toBe('tsbox: --volume /not/there:/v: /not/there is not there');
    expect(refused(['--mount', 'type=bind,src=/not/there,dst=/v'])).toMatch(/\/not\/there is not there/);
    expect(refused(['-v', '~/name:/v'])).toMatch(/neither an absolute path nor the name of a volume/);
    expect(refused(['-v', `${source}:v`])).toMatch(/^tsbox: --volume.*absolute/);
    expect(refused(['-v', `${source}:/`])).toMatch(/^tsbox: --volume/);
    expect(refused(['-v', `${source}:/v:rp`])).toMatch(/no such option: "rp"/);
    expect(refused(['-v', `${source}:/v`, '-v', `${source}:/v`])).toMatch(/duplicate mount point/);
    expect(refused(['--mount', `type=bind,source=${source},target=/v,reandonly`])).toMatch(
      /did you mean readonly\?/,
    );
    expect(refused(['-v', `${source}:/bin/busybox`])).toMatch(/\/bin\/busybox/);
  });
});
