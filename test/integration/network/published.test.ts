import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { run as runContainer } from '../../../src/index.ts';
import { cli, describeRoot, environment, image, store, tsbox } from '../support/tsbox.ts';
import { ip, nft, sleep } from './support/lab.ts';

/** Says hello to whoever connects, and who it is. */
const serve = (name: string) => ['nc', '-lk', '-p', '80', '-e', 'echo', `hello of ${name}`];

describeRoot('published ports of containers', () => {
  beforeAll(() => {
    process.env.TSBOX_ROOT = store;
  });

  afterEach(() => {
    const ids = tsbox(['ps', '-aq']).stdout.split('\n').filter(Boolean);
    if (ids.length > 0) tsbox(['rm', '-f', ...ids]);
  });

  afterAll(() => {
    clear();
    delete process.env.TSBOX_ROOT;
  });

  const runDetached = (flags: string[], command: string[]) =>
    tsbox(['run', '-d', '--network', 'bridge', ...flags, image, ...command]);

  function detached(flags: string[], command: string[]): string {
    const { status, stdout, stderr } = runDetached(flags, command);
    if (status !== 0) throw new Error(stderr);
    return stdout.trim();
  }

  test('run -d -p: reached; port, ps and inspect say where; start and restart keep it; rm leaves nothing', async () => {
    const id = detached(
      ['--name', 'web', '-p', '8080:80', '-p', '127.0.0.1:5300-5301:53-54/udp', '--expose', '443'],
      serve('web'),
    );
    expect(await hello(8080)).toBe('hello of web');
    expect(tsbox(['port', 'web']).stdout).toBe(
      [
        '53/udp -> 127.0.0.1:5300',
        '54/udp -> 127.0.0.1:5301',
        '80/tcp -> 0.0.0.0:8080',
        '80/tcp -> [::]:8080',
        '',
      ].join('\n'),
    );
    expect(tsbox(['port', 'web', '80']).stdout).toBe('0.0.0.0:8080\n[::]:8080\n');
    expect(tsbox(['port', 'web', '80/udp']).stderr).toContain("no public port '80/udp' published for web");
    expect(tsbox(['ps', '--format', '{{.Ports}}']).stdout).toBe(
      '0.0.0.0:8080->80/tcp, 127.0.0.1:5300-5301->53-54/udp, [::]:8080->80/tcp, 443/tcp\n',
    );
    expect(
      JSON.parse(tsbox(['inspect', '--format', '{{json .NetworkSettings.Ports}}', 'web']).stdout),
    ).toEqual({
      '443/tcp': null,
      '53/udp': [{ HostIp: '127.0.0.1', HostPort: '5300' }],
      '54/udp': [{ HostIp: '127.0.0.1', HostPort: '5301' }],
      '80/tcp': [
        { HostIp: '0.0.0.0', HostPort: '8080' },
        { HostIp: '::', HostPort: '8080' },
      ],
    });
    expect(tsbox(['stop', '-t', '0', 'web']).status).toBe(0);
    await expect(hello(8080)).rejects.toThrow('ECONNREFUSED');
    expect(tsbox(['port', 'web']).stdout).toBe('');
    expect(rulesOf(id)).toBe(false);
    expect(tsbox(['start', 'web']).status).toBe(0);
    expect(await hello(8080)).toBe('hello of web');
    expect(tsbox(['restart', '-t', '0', 'web']).status).toBe(0);
    expect(await hello(8080)).toBe('hello of web');
    expect(tsbox(['rm', '-f', 'web']).status).toBe(0);
    expect(rulesOf(id)).toBe(false);
  });

  test('a port that a container has: refused before anything is started, by its name; then it is free', async () => {
    detached(['--name', 'first', '-p', '8080:80'], serve('first'));
    const second = runDetached(['--name', 'second', '-p', '8080:80'], ['true']);
    expect(second).toMatchObject({ status: 125, stdout: '' });
    expect(second.stderr).toBe(
      'tsbox: port 0.0.0.0:8080/tcp is already in use by container first\n  publish another port, or end what has this one\n',
    );
    expect(await hello(8080)).toBe('hello of first');
    tsbox(['rm', '-f', 'first']);
    detached(['--name', 'third', '-p', '8080:80'], serve('third'));
    expect(await hello(8080)).toBe('hello of third');
  });

  test('a container reaches itself, and a neighbour, through the host', () => {
    detached(['--name', 'web', '-p', '8080:80'], serve('web'));
    const gateway = tsbox([
      'inspect',
      '--format',
      '{{.NetworkSettings.Networks.bridge.Gateway}}',
      'web',
    ]).stdout.trim();
    const script = `nc -w 5 ${gateway} 8080 < /dev/null`;
    expect(tsbox(['exec', 'web', 'sh', '-c', script]).stdout).toBe('hello of web\n');
    expect(tsbox(['run', '--rm', '--network', 'bridge', image, 'sh', '-c', script]).stdout).toBe(
      'hello of web\n',
    );
  });

  test('where there is nothing to publish: that is said, and the program runs', () => {
    for (const mode of ['host', 'none']) {
      expect(tsbox(['run', '--rm', '--network', mode, '-p', '8080:80', image, 'true'])).toEqual({
        status: 0,
        stdout: '',
        stderr: `tsbox: published ports are discarded with the network mode ${mode}\n`,
      });
    }
    expect(tsbox(['network', 'create', '--internal', 'inner']).status).toBe(0);
    const inner = tsbox(['run', '--rm', '--network', 'inner', '-p', '8080:80', image, 'true']);
    expect(tsbox(['network', 'rm', 'inner']).status).toBe(0);
    expect(inner).toEqual({
      status: 0,
      stdout: '',
      stderr:
        'tsbox: published ports are discarded: no network of the container is a bridge with a way out\n',
    });
  });

  test('-P: what the program serves, at any free port', async () => {
    detached(['--name', 'web', '-P', '--expose', '80'], serve('web'));
    const port = Number(/:(\d+)\n/.exec(tsbox(['port', 'web', '80']).stdout)?.[1]);
    expect(port).toBeGreaterThanOrEqual(49153);
    expect(await hello(port)).toBe('hello of web');
  });

  test('from the library: box.ports()', async () => {
    await using box = await runContainer(image, serve('box'), {
      network: 'bridge',
      publish: ['127.0.0.1::80'],
    });
    const ports = await box.ports();
    expect(ports).toEqual([
      { hostAddress: '127.0.0.1', hostPort: expect.any(Number), containerPort: 80, protocol: 'tcp' },
    ]);
    expect(await hello(ports[0]?.hostPort as number)).toBe('hello of box');
  });

  test('kill -9 of a container’s monitor and of the container: the sweep takes its rules, and the port is free', async () => {
    const id = detached(['--name', 'web', '-p', '8080:80'], serve('web'));
    const record = JSON.parse(readFileSync(join(store, 'containers', id, 'container.json'), 'utf8'));
    for (const pid of [record.monitor.pid, record.pid]) process.kill(pid, 'SIGKILL');
    await sleep(200);
    expect(rulesOf(id)).toBe(true);
    detached(['--name', 'next', '-p', '8080:80'], serve('next'));
    expect(await hello(8080)).toBe('hello of next');
    expect(tsbox(['system', 'sweep']).status).toBe(0);
    expect(rulesOf(id)).toBe(false);
    expect(await hello(8080)).toBe('hello of next');
  });

  test('somebody flushes all rules: the next start puts them back, for those that run, too', async () => {
    detached(['--name', 'web', '-p', '8080:80'], serve('web'));
    nft('flush', 'ruleset');
    await expect(hello(8080)).rejects.toThrow('ECONNREFUSED');
    expect(tsbox(['run', '--rm', '--network', 'bridge', image, 'true'])).toMatchObject({
      status: 0,
      stderr: '',
    });
    expect(await hello(8080)).toBe('hello of web');
  });

  test('without nft: one clear line, and nothing is left', () => {
    // As on a machine where there was no network yet.
    clear();
    const command = [...[cli, 'run', '--rm', '--network', 'bridge', '-p', '8080:80', image, 'true']];
    const { status, stdout, stderr } = spawnSync(
      'unshare',
      [
        '--mount',
        'sh',
        '-c',
        'mount --bind /dev/null "$(readlink -f "$(command -v nft)")" && exec "$@"',
        'sh',
        ...command,
      ],
      { env: { ...environment(), PATH: `${environment().PATH}:/usr/sbin` }, encoding: 'utf8' },
    );
    expect({ status, stdout, stderr }).toEqual({
      status: 125,
      stdout: '',
      stderr:
        'tsbox: networks with bridges need the program nft, and it is not installed\n  install the package nftables, or use --network none or host\n',
    });
    expect(links()).toEqual(['lo']);
    expect(nft('list', 'ruleset')).toBe('');
    expect(tsbox(['ps', '-aq']).stdout).toBe('');
  });

  function clear(): void {
    for (const name of links()) if (name !== 'lo') ip(`link delete ${name}`);
    nft('flush', 'ruleset');
  }

  function links(): string[] {
    return (JSON.parse(ip('-j link')) as { ifname: string }[]).map(({ ifname }) => ifname);
  }

  /** Whether there are rules of a container. */
  function rulesOf(id: string): boolean {
    return nft('list', 'ruleset').includes(id);
  }
});

/** What whoever listens at a port of the host says. It may have to start first. */
async function hello(port: number): Promise<string> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await greeting(port);
    } catch (error) {
      if (attempt === 20) throw error;
      await sleep(50);
    }
  }
}

async function greeting(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.setEncoding('utf8').setTimeout(5000, () => socket.destroy(new Error('timeout')));
  let text = '';
  for await (const piece of socket) text += piece;
  if (text === '') throw new Error('nothing was said');
  return text.trim();
}
