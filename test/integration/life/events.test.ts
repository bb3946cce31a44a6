import { spawn } from 'node:child_process';
import { expect, test } from 'vitest';
import { cli, describeRoot, environment, eventually, image, tsbox } from '../support/tsbox.ts';
import { removesAll, said } from './support.ts';

describeRoot('events', () => {
  removesAll();

  test('tell of a container’s whole life, to who follows and to who asks later', async () => {
    const begin = said('events', '--since', '0s', '--until', '0s', '--format', '{{.time}}');
    expect(begin).toBe('');
    const follower = spawn(cli, ['events', '-f', 'container=told', '--format', '{{.Action}}'], {
      env: environment(),
    });
    let seen = '';
    follower.stdout.on('data', (chunk) => {
      seen += chunk;
    });
    try {
      // It follows once it has told of something.
      await eventually(
        () => {
          said('create', '--name', 'told', image, 'true');
          said('rm', 'told');
          return seen.includes('destroy');
        },
        'the first event',
        30,
      );
      seen = '';
      const id = said(
        'run',
        '-d',
        '--name',
        'told',
        '--label',
        'a=b',
        '-v',
        'told:/v',
        image,
        'sleep',
        '100',
      );
      said('exec', 'told', 'true');
      said('pause', 'told');
      said('unpause', 'told');
      said('top', 'told');
      said('update', '--restart', 'no', 'told');
      expect(tsbox(['cp', 'told:/etc/hostname', '-']).status).toBe(0);
      said('cp', '-q', '/etc/hostname', 'told:/tmp');
      expect(tsbox(['export', 'told']).status).toBe(0);
      said('commit', '--pause=false', 'told', 'of-told');
      said('rmi', 'of-told');
      said('stop', '-t', '0', 'told');
      said('start', 'told');
      said('kill', 'told');
      said('wait', 'told');
      said('rm', '-f', 'told');
      const life =
        'create start exec_create: true exec_start: true exec_die pause unpause top update archive-path extract-to-dir export commit kill kill stop die start kill die destroy'.split(
          / (?!true)/,
        );
      await eventually(
        () => seen.trimEnd().endsWith('kill\ndie\ndestroy'),
        () => seen,
      );
      // What `stop` says and what the monitor does come in any order.
      const order = (lines: string[]) =>
        lines
          .join()
          .replace('die,stop', 'stop,die')
          .replace(/^(create,destroy,)+/, '');
      expect(order(seen.trim().split('\n'))).toBe(order(life));
      const dies = said(
        'events',
        '--since',
        '1h',
        '--until',
        '0s',
        '-f',
        'event=die',
        '-f',
        `container=${id}`,
      );
      for (const line of dies.split('\n'))
        expect(line).toMatch(
          new RegExp(
            `^[\\d-]{10}T[\\d:]{8}\\.\\d{9}Z container die ${id} \\(a=b, execDuration=\\d+, exitCode=137, image=${image}, name=told\\)$`,
          ),
        );
      expect(dies.split('\n')).toHaveLength(2);
      said('volume', 'rm', 'told');
      expect(
        said(
          'events',
          '--since',
          '1h',
          '--until',
          '0s',
          '-f',
          'volume=told',
          '--format',
          '{{.Type}} {{.Action}}',
        ),
      ).toBe('volume create\nvolume destroy');
    } finally {
      follower.kill();
    }
  });

  test('tell of a container in the foreground, with its exit code', () => {
    expect(tsbox(['run', '--rm', '--name', 'short', image, 'sh', '-c', 'exit 3']).status).toBe(3);
    const format = '{{.Action}} {{index .Actor.Attributes "exitCode"}}';
    const lines = said(
      'events',
      '--since',
      '1h',
      '--until',
      '0s',
      '-f',
      'container=short',
      '--format',
      format,
    );
    expect(lines.split('\n').map((line) => line.trim())).toEqual(['create', 'start', 'die 3', 'destroy']);
    const json = said(
      'events',
      '--since',
      '1h',
      '--until',
      '0s',
      '-f',
      'container=short',
      '--format',
      'json',
    );
    expect(json.split('\n')[2]).toMatch(/"Action":"die".*"timeNano":\d{19}\}$/);
  });

  test('tell of images', () => {
    said('tag', image, 'told:1');
    said('rmi', 'told:1');
    const format = '{{.Action}} {{.Actor.Attributes.name}}';
    const lines = said('events', '--since', '1h', '--until', '0s', '-f', 'image=told', '--format', format);
    expect(lines).toBe('tag told:1\nuntag told:1');
  });
});
