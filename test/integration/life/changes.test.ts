import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { describeRoot, eventually, scratch, store, tsbox } from '../support/tsbox.ts';
import { makeImage } from './make-image.ts';
import { failed, removesAll, said } from './support.ts';

const CHANGE = `rm /d/gone; rm -r /d/tree; mkdir /d/tree; touch /d/tree/own; echo more >> /d/file; echo new > /new; ln /new /link;
  ln -s /etc/passwd /symlink; mkfifo -m 640 /fifo; chmod 700 /d/closed; mkdir -p /made/deep; touch /volume/x; : > /dev/shm/x; echo done`;

describeRoot('what a container has changed', () => {
  removesAll();
  beforeAll(() =>
    makeImage(
      'mkdir -p d/tree/below d/closed d/same etc; touch d/gone d/tree/{one,two}; echo file > d/file; echo root:x:0:0::/:/bin/sh > etc/passwd',
      'base',
      'ENV FROM=base',
      'CMD ["sleep", "100"]',
    ),
  );

  async function changed(...flags: string[]): Promise<void> {
    said(
      'run',
      '-d',
      '--name',
      'changed',
      ...flags,
      '-v',
      '/volume',
      'base',
      'sh',
      '-c',
      `${CHANGE}; sleep 100`,
    );
    await eventually(() => said('logs', 'changed') === 'done', 'the changes');
  }

  const DIFF = [
    'C /d',
    'C /d/closed',
    'C /d/file',
    'D /d/gone',
    'C /d/tree',
    'D /d/tree/below',
    'D /d/tree/one',
    'A /d/tree/own',
    'D /d/tree/two',
    'A /fifo',
    'A /link',
    'A /made',
    'A /made/deep',
    'A /new',
    'A /symlink',
  ];
  const sorted = (text: string) => text.split('\n').sort((a, b) => (a.slice(2) < b.slice(2) ? -1 : 1));

  test.each([[], ['--userns', 'auto']])('is listed, but for mounts and their places %j', async (...flags) => {
    await changed(...(flags as string[]));
    expect(sorted(said('diff', 'changed'))).toEqual(DIFF);
    said('kill', 'changed');
    said('wait', 'changed');
    expect(sorted(said('diff', 'changed'))).toEqual(DIFF);
    said('run', '--name', 'nothing', 'base', 'true');
    expect(said('diff', 'nothing')).toBe('');
    expect(failed(tsbox(['diff', 'nobody'])).stderr).toBe('tsbox: there is no container `nobody`');
  });

  test.each([true, false])('is in an export, running: %s', async (running) => {
    await changed('--userns', 'auto');
    if (!running) {
      said('kill', 'changed');
      said('wait', 'changed');
    }
    const file = join(scratch(), 'all.tar');
    said('export', '-o', file, 'changed');
    const { stdout } = spawnSync('tar', ['--numeric-owner', '-tvf', file], { encoding: 'utf8' });
    const line = (name: string) =>
      stdout
        .split('\n')
        .find((each) => new RegExp(` ${name}( |$)`).test(each))
        ?.replace(/ +\d{4}-\d\d-\d\d \d\d:\d\d/, '')
        .replace(/ +/g, ' ');
    expect(line('fifo')).toBe('prw-r----- 0/0 0 fifo');
    expect(line('d/closed/')).toBe('drwx------ 0/0 0 d/closed/');
    expect(line('d/file')).toBe('-rw-r--r-- 0/0 10 d/file');
    expect(line('symlink')).toBe('lrwxrwxrwx 0/0 0 symlink -> /etc/passwd');
    expect(line('new')).toBe('hrw-r--r-- 0/0 0 new link to link');
    expect(line('volume/')).toMatch(/^d/);
    for (const none of ['d/gone', 'd/tree/one', 'volume/x', 'proc/1/', 'dev/shm/x', 'sys/kernel/'])
      expect(line(none)).toBeUndefined();
    const piped = spawnSync('sh', ['-c', `tar -xOf ${file} d/file d/tree/own`], { encoding: 'utf8' });
    expect(piped.stdout).toBe('file\nmore\n');
  });

  test('becomes an image, which has it and no more', async () => {
    await changed('-e', 'OWN=1', '-w', '/d', '-l', 'a=b');
    const id = said(
      'commit',
      '-a',
      'Ada',
      '-m',
      'a word',
      '-c',
      'ENV ADDED=x',
      '-c',
      'CMD ["sh"]',
      'changed',
      'made:1',
    );
    expect(id).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(said('ps', '--format', '{{.State}}')).toBe('running');
    const [image] = JSON.parse(said('image', 'inspect', 'made:1'));
    expect(image).toMatchObject({
      Id: id,
      Author: 'Ada',
      Config: { Cmd: ['sh'], WorkingDir: '/d', Labels: { a: 'b' } },
    });
    expect(image.Config.Env.slice(-3)).toEqual(['FROM=base', 'OWN=1', 'ADDED=x']);
    expect(said('history', '--format', '{{.Comment}}', 'made:1').split('\n')[0]).toBe('a word');
    const script = `ls /d /d/tree /dev/shm; cat /d/file; stat -c '%a %F' /fifo /d/closed; stat -c %h /new; ls -ld /symlink | grep -c passwd`;
    expect(said('run', '--rm', 'made:1', 'sh', '-c', script)).toBe(
      '/d:\nclosed\nfile\nsame\ntree\n\n/d/tree:\nown\n\n/dev/shm:\nfile\nmore\n640 fifo\n700 directory\n2\n1',
    );
    // What its layer says, as another program reads it.
    expect(image.RootFS.Layers).toHaveLength(2);
    const place = scratch();
    const copied = spawnSync(
      'skopeo',
      ['copy', '-q', `oci:${join(store, 'images')}:made:1`, `dir:${place}`],
      {
        encoding: 'utf8',
      },
    );
    expect(copied.stderr).toBe('');
    const manifest = JSON.parse(readFileSync(join(place, 'manifest.json'), 'utf8'));
    const layer = join(place, manifest.layers[1].digest.slice(7));
    const listed = spawnSync('tar', ['-tzf', layer], { encoding: 'utf8' }).stdout.trim().split('\n');
    expect(listed).toContain('d/.wh.gone');
    expect(listed).toContain('d/tree/.wh..wh..opq');
    expect(listed.some((name) => /^(dev|proc|sys|volume|etc)/.test(name))).toBe(false);
    said('rmi', 'made:1');
  });

  test('as an image that cannot be made leaves nothing, and the container goes on', async () => {
    await changed();
    const before = said('images', '-aq');
    expect(failed(tsbox(['commit', '-c', 'FROM x', 'changed', 'made'])).stderr).toContain(
      'cannot apply the change',
    );
    expect(failed(tsbox(['commit', 'changed', 'UPPER:x:y'])).status).toBe(125);
    said('exec', 'changed', 'touch', '/.wh.passwd');
    expect(failed(tsbox(['commit', 'changed', 'made'])).stderr).toContain('means a deleted file');
    expect(said('images', '-aq')).toBe(before);
    expect(said('ps', '--format', '{{.State}}')).toBe('running');
    said('pause', 'changed');
    said('unpause', 'changed');
  });
});
