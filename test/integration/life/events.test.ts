import { spawn } from 'node:child_process';
import { expect, test } from 'vitest';
import { cli, describeRoot, environment, eventually, image, tsbox } from '../support/tsbox.ts';
import { record, removesAll, said } from './support.ts';

/** What has happened until now. */
const past = ['events', '--since', '1h', '--until', '0s'];

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
        'create start exec_create: true exec_start: true exec_die pause unpause top update archive-path extract-to-dir export commit kill kill die stop start kill die destroy'.split(
          / (?!true)/,
        );
      await eventually(
        () => seen.trimEnd().endsWith('kill\ndie\ndestroy'),
        () => seen,
      );
      const own = seen
        .trim()
        .split('\n')
        .join()
        .replace(/^(create,destroy,)+/, '');
      expect(own).toBe(life.join());
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
      const ofVolume = said(...past, '-f', 'volume=told', '--format', '{{.Type}} {{.Action}}');
      expect(ofVolume.split('\n')).toEqual(
        ['create', 'mount', 'unmount', 'mount', 'unmount', 'destroy'].map((action) => `volume ${action}`),
      );
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

  test('tell where volumes are mounted, between what is told of their container', async () => {
    const volumes = ['-v', 'first:/a', '-v', '/b', '--mount', 'source=second,target=/c,readonly'];
    const id = said('run', '-d', '--name', 'mounts', '--network', 'none', ...volumes, image, 'sleep', '100');
    said('stop', '-t', '0', 'mounts');
    const all = said(...past, '--format', '{{.Type}} {{.Action}} {{json .Actor}}');
    const events = all
      .split('\n')
      .filter((line) => line.includes(id))
      .map((line) => line.split(' ') as [string, string, string]);
    const three = (action: string) => Array(3).fill(`volume ${action}`);
    const kills = Array(2).fill('container kill');
    expect(events.map(([type, action]) => `${type} ${action}`)).toEqual([
      'container create',
      ...three('mount'),
      'container start',
      ...kills,
      ...three('unmount'),
      'container die',
      'container stop',
    ]);
    const actors = (wanted: string) =>
      events.filter(([, action]) => action === wanted).map(([, , actor]) => JSON.parse(actor));
    const mounted = (ID: string, destination: string, writable: string) => ({
      ID,
      Attributes: { container: id, destination, driver: 'local', propagation: '', 'read/write': writable },
    });
    const unnamed = expect.stringMatching(/^[0-9a-f]{64}$/);
    expect(actors('mount')).toEqual([
      mounted('first', '/a', 'true'),
      mounted(unnamed, '/b', 'true'),
      mounted('second', '/c', 'false'),
    ]);
    expect(actors('unmount')).toEqual(
      ['first', unnamed, 'second'].map((ID) => ({ ID, Attributes: { container: id, driver: 'local' } })),
    );
    said('rm', '-v', 'mounts');
    said('volume', 'rm', 'first', 'second');
  });

  test('tell that volumes are unmounted also where nobody waited for the end', async () => {
    const actions = () => said(...past, '-f', 'volume=left', '--format', '{{.Action}}').split('\n');
    expect(tsbox(['run', '--rm', '-v', 'left:/v', image, 'true']).status).toBe(0);
    expect(actions()).toEqual(['create', 'mount', 'unmount']);
    const id = said('run', '-d', '-v', 'left:/v', image, 'sleep', '100');
    process.kill(record(id).monitor.pid, 'SIGKILL');
    await eventually(() => said('ps', '-aq', '-f', 'status=exited') !== '', 'the sweep');
    expect(actions()).toEqual(['create', 'mount', 'unmount', 'mount', 'unmount']);
    // Made and never started: nothing was mounted.
    said('create', '-v', 'left:/v', image, 'true');
    said('rm', '-f', ...said('ps', '-aq').split('\n'));
    expect(actions()).toHaveLength(5);
    said('volume', 'rm', 'left');
  });

  test('die comes before stop, whatever the network', () => {
    for (const network of ['none', 'bridge'])
      for (const flags of [[], ['--rm']]) {
        const name = `order-${network}${flags.join('')}`;
        said('run', '-d', '--name', name, '--network', network, ...flags, image, 'sleep', '100');
        said('stop', '-t', '0', name);
        const actions = said(...past, '-f', `container=${name}`, '--format', '{{.Action}}').split('\n');
        expect(actions.filter((action) => /die|stop/.test(action))).toEqual(['die', 'stop']);
      }
  });

  test('tell of images', () => {
    said('tag', image, 'told:1');
    said('rmi', 'told:1');
    const format = '{{.Action}} {{.Actor.Attributes.name}}';
    const lines = said('events', '--since', '1h', '--until', '0s', '-f', 'image=told', '--format', format);
    expect(lines).toBe('tag told:1\nuntag told:1');
  });
});
