import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { removesAll, said } from '../life/support.ts';
import { leavesNothing } from '../support/leftovers.ts';
import { cli, describeRoot, environment, eventually, image, store, tsbox } from '../support/tsbox.ts';

const sleeps = ['sleep', '1000'];
/** Answers with its host name, one request after the other. */
const serves = ['sh', '-c', 'while :; do printf "HTTP/1.0 200 OK\r\n\r\n$(hostname)" | nc -l -p 80; done'];
const start = (name: string, network: string, ...more: string[]) =>
  said('run', '-d', '--name', name, '--network', network, ...more);
const fetched = (from: string, name: string) =>
  tsbox(['exec', from, 'wget', '-T', '2', '-qO-', `http://${name}/`]).stdout;
/** The addresses of a name, as the program's C library finds them. */
const found = (from: string, name: string) =>
  tsbox(['exec', from, 'getent', 'ahostsv4', name])
    .stdout.split('\n')
    .flatMap((line) => (/ STREAM/.exec(line) ? line.split(' ', 1) : []));
/** What a shell in a container makes of a script. */
const inside = (name: string, script: string) => tsbox(['exec', name, 'sh', '-c', script]);
const hosts = (name: string) => said('exec', name, 'cat', '/etc/hosts');
const idOf = (name: string) => said('inspect', '-f', '{{.Id}}', name);
const addressOf = (name: string, network: string) =>
  said('inspect', '-f', `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`, name);

function removesNetworks(): void {
  afterEach(() => {
    const names = readdirSync(join(store, 'networks')).filter((name) => name !== 'bridge');
    if (names.length > 0) said('network', 'rm', ...names);
  });
}

describeRoot('names in a network', () => {
  leavesNothing();
  removesNetworks();
  removesAll();

  test('containers find each other over HTTP, by name, alias and the beginning of the id; a late one is found by who was there', async () => {
    said('network', 'create', 'backend');
    start('client', 'backend', image, ...sleeps);
    expect(found('client', 'web')).toEqual([]);
    const id = start('web', 'backend', '--network-alias', 'api', '--hostname', 'box-1', image, ...serves);
    await eventually(() => fetched('client', 'web') === 'box-1', 'an answer');
    for (const name of ['api', 'box-1', id.slice(0, 12)]) {
      expect(found('client', name)).toEqual([addressOf('web', 'backend')]);
      await eventually(() => fetched('client', name) === 'box-1', `an answer from ${name}`);
    }
    // Of itself too.
    expect(found('web', 'api')).toEqual([addressOf('web', 'backend')]);
    expect(found('web', 'client')).toEqual([addressOf('client', 'backend')]);
    said('rm', '-f', 'web');
    expect(found('client', 'web')).toEqual([]);
    expect(hosts('client')).not.toContain(id.slice(0, 12));
  });

  test('an alias that several have leads to all of them', () => {
    said('network', 'create', 'backend');
    for (const name of ['one', 'two']) start(name, `backend:alias=all`, image, ...sleeps);
    start('client', 'backend', image, ...sleeps);
    expect(found('client', 'all').sort()).toEqual(
      [addressOf('one', 'backend'), addressOf('two', 'backend')].sort(),
    );
  });

  test('another address after a restart, another name after a rename', () => {
    said('network', 'create', 'backend');
    start('client', 'backend', image, ...sleeps);
    start('web', 'backend', image, ...sleeps);
    const before = addressOf('web', 'backend');
    said('restart', '-t', '0', 'web');
    const after = addressOf('web', 'backend');
    expect(after).not.toBe(before);
    expect(found('client', 'web')).toEqual([after]);
    said('rename', 'web', 'shop');
    expect(found('client', 'shop')).toEqual([after]);
    expect(found('client', 'web')).toEqual([]);
  });

  test('a name is there at the first instruction, in the foreground too', () => {
    said('network', 'create', 'backend');
    start('web', 'backend', image, ...sleeps);
    const args = ['run', '--rm', '--network', 'backend', image, 'getent', 'hosts', 'web'];
    expect(tsbox(args).stdout).toMatch(new RegExp(`^${addressOf('web', 'backend')} +web`));
  });

  test('in the default network nobody is found, as in Docker', () => {
    start('web', 'bridge', image, ...sleeps);
    start('client', 'bridge', image, ...sleeps);
    expect(found('client', 'web')).toEqual([]);
    expect(hosts('client')).toContain(`${addressOf('client', 'bridge')}\t${idOf('client').slice(0, 12)}`);
  });

  test('names are those of the container’s own networks, also of those that it joins while it runs', () => {
    said('network', 'create', 'back');
    said('network', 'create', 'front');
    start('db', 'back', image, ...sleeps);
    start('web', 'front', image, ...sleeps);
    expect(found('web', 'db')).toEqual([]);
    said('network', 'connect', '--alias', 'site', 'back', 'web');
    expect(found('web', 'db')).toEqual([addressOf('db', 'back')]);
    expect(found('db', 'site')).toEqual([addressOf('web', 'back')]);
    said('network', 'disconnect', 'back', 'web');
    expect(found('web', 'db')).toEqual([]);
    expect(found('db', 'web')).toEqual([]);
  });

  test('a program that is asked all the while is found again after each restart', async () => {
    said('network', 'create', 'backend');
    start('web', 'backend', image, ...serves);
    const loop = 'while :; do wget -T 1 -qO- http://web/ && echo " answered"; done 2>/dev/null';
    const args = ['run', '--rm', '--network', 'backend', image, 'sh', '-c', loop];
    const client: ChildProcess = spawn(cli, args, {
      env: environment(),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let answers = 0;
    client.stdout?.on('data', (chunk: Buffer) => (answers += `${chunk}`.split('answered').length - 1));
    await eventually(() => answers > 0, 'a first answer');
    for (let round = 0; round < 3; round++) {
      said('restart', '-t', '0', 'web');
      answers = 0;
      await eventually(() => answers > 0, `an answer after restart ${round}`, 20);
    }
    client.kill('SIGKILL');
    await once(client, 'exit');
  });

  test('killed with SIGKILL, whoever started it, its name is gone as soon as somebody looks', async () => {
    said('network', 'create', 'backend');
    start('client', 'backend', image, ...sleeps);
    const args = ['run', '--rm', '--name', 'web', '--network', 'backend', '-p', '8080:80', image, ...sleeps];
    const web = spawn(cli, args, { env: environment(), stdio: 'ignore' });
    await eventually(() => found('client', 'web').length === 1, 'web');
    web.kill('SIGKILL');
    await once(web, 'exit');
    await eventually(() => tsbox(['ps', '-aq']).stdout.trim().split('\n').length === 1, 'web gone');
    await eventually(() => found('client', 'web').length === 0, 'its name gone');
    expect(readdirSync(join(store, 'networks', 'backend', 'addresses'))).toHaveLength(1);
    start('again', 'backend', '-p', '8080:80', image, ...sleeps);
  });
});

describeRoot('/etc/hosts, /etc/resolv.conf and /etc/hostname', () => {
  leavesNothing();
  removesNetworks();
  removesAll();

  const onHost = (name: string, file: string) => join(store, 'containers', idOf(name), file);

  test('what a program writes into them stays, and is nobody else’s', () => {
    said('network', 'create', 'backend');
    start('web', 'backend', '--add-host', 'extra:192.0.2.1', image, ...sleeps);
    said(
      'exec',
      'web',
      'sh',
      '-c',
      'echo "192.0.2.7 mine" >> /etc/hosts; echo "# first" > /t; cat /etc/hosts >> /t; cat /t > /etc/hosts',
    );
    start('other', 'backend', image, ...sleeps);
    const text = hosts('web');
    expect(text).toMatch(/^# first\n127\.0\.0\.1\tlocalhost\n/);
    expect(text).toContain('192.0.2.1\textra\n');
    expect(text.endsWith('192.0.2.7 mine')).toBe(true);
    expect(found('web', 'other')).toEqual([addressOf('other', 'backend')]);
    expect(text.split('tsbox: end')).toHaveLength(2);
    expect(hosts('other')).not.toContain('mine');
  });

  test('hostile: a huge one is not read, one without an end is ours from there on, and others get their names all the same', () => {
    said('network', 'create', 'backend');
    start('huge', 'backend', image, ...sleeps);
    start('endless', 'backend', image, ...sleeps);
    start('empty', 'backend', image, ...sleeps);
    said('exec', 'huge', 'sh', '-c', 'dd if=/dev/zero of=/etc/hosts bs=1M count=20 2>/dev/null');
    said(
      'exec',
      'endless',
      'sh',
      '-c',
      'grep -v "tsbox: end" /etc/hosts > /t; cat /t > /etc/hosts; echo "192.0.2.9 more" >> /etc/hosts',
    );
    said('exec', 'empty', 'sh', '-c', ': > /etc/hosts');
    start('late', 'backend', image, ...sleeps);
    for (const name of ['huge', 'endless', 'empty'])
      expect(found(name, 'late')).toEqual([addressOf('late', 'backend')]);
    expect(statSync(onHost('huge', 'hosts')).size).toBeLessThan(10_000);
    expect(hosts('endless')).not.toContain('192.0.2.9');
    // They are files, and nothing that could be done inside makes them anything else.
    expect(
      inside('late', 'rm -f /etc/hosts || mv /etc/hosts /x || ln -sf /etc/passwd /etc/hosts').status,
    ).not.toBe(0);
    expect(
      inside('late', 'cat /bin/busybox > /etc/hosts; chmod 755 /etc/hosts && /etc/hosts true').status,
    ).toBe(126);
  });

  test('are writable with a read-only root, and the container root’s in a user namespace', () => {
    const script =
      'touch /x 2>/dev/null; echo $?; echo "192.0.2.1 x" >> /etc/hosts && tail -n 1 /etc/hosts; stat -c %u:%g /etc/hosts';
    for (const flags of [[], ['--userns', 'auto']])
      expect(tsbox(['run', '--rm', '--read-only', ...flags, image, 'sh', '-c', script]).stdout).toBe(
        '1\n192.0.2.1 x\n0:0\n',
      );
  });

  test('are no change of the container’s, and no part of an image that is made of it', () => {
    start('web', 'bridge', image, ...sleeps);
    said('exec', 'web', 'sh', '-c', 'echo "192.0.2.1 mine" >> /etc/hosts; echo kept > /kept');
    expect(said('diff', 'web').split('\n')).not.toContain('C /etc/hosts');
    said('commit', 'web', 'committed:1');
    expect(tsbox(['run', '--rm', 'committed:1', 'sh', '-c', 'cat /kept; grep mine /etc/hosts']).stdout).toBe(
      'kept\n',
    );
    said('rmi', 'committed:1');
    expect(existsSync(onHost('web', 'hosts'))).toBe(true);
  });

  test('where something is mounted over one, that is what is there', () => {
    const { stdout } = tsbox([
      'run',
      '--rm',
      '-v',
      `/proc/version:/etc/hosts:ro`,
      image,
      'cat',
      '/etc/hosts',
    ]);
    expect(stdout).toBe(readFileSync('/proc/version', 'utf8'));
  });
});

describeRoot('the network of another container', () => {
  leavesNothing();
  removesAll();

  test('has its interfaces, its ports, its name and its files, and stays after it has gone', async () => {
    start('web', 'bridge', image, ...serves);
    const shared = (...command: string[]) =>
      tsbox(['run', '--rm', '--network', 'container:web', image, ...command]).stdout;
    const hostname = idOf('web').slice(0, 12);
    await eventually(() => shared('wget', '-qO-', 'http://127.0.0.1/') === hostname, 'an answer');
    expect(shared('hostname')).toBe(`${hostname}\n`);
    expect(shared('cat', '/etc/hosts').trimEnd()).toBe(hosts('web'));
    expect(shared('ip', '-4', '-o', 'addr', 'show', 'eth0')).toContain(addressOf('web', 'bridge'));
    said('run', '-d', '--name', 'side', '--network', 'container:web', image, ...sleeps);
    const address = addressOf('web', 'bridge');
    said('rm', '-f', 'web');
    expect(said('exec', 'side', 'ip', '-4', '-o', 'addr', 'show', 'eth0')).toContain(address);
  });

  test('must be that of a container that runs', () => {
    said('create', '--name', 'web', image, ...sleeps);
    for (const [name, problem] of [
      ['web', 'cannot join the network of container web, which is not running'],
      ['nobody', 'there is no container `nobody`'],
    ] as const)
      expect(tsbox(['run', '--rm', '--network', `container:${name}`, image, 'true'])).toMatchObject({
        status: 125,
        stderr: expect.stringContaining(`tsbox: ${problem}`),
      });
  });
});
