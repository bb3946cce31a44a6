import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { failed, removesAll, said } from '../life/support.ts';
import { describeRoot, image, inside, store, tsbox } from '../support/tsbox.ts';

const json = (...args: string[]) => JSON.parse(said(...args));
const inspectNetwork = (name: string) => json('network', 'inspect', name)[0];
const inspect = (name: string) => json('inspect', name)[0];
const sleeps = ['sleep', '1000'];

/** The names of this host's links, as iproute2 has them. */
function links(): string[] {
  const { stdout } = spawnSync('ip', ['-j', 'link'], { encoding: 'utf8' });
  return (JSON.parse(stdout) as { ifname: string }[]).map(({ ifname }) => ifname).sort();
}

function removesNetworks(): void {
  afterEach(() => {
    const names = readdirSync(join(store, 'networks')).filter(
      (name) => /^[a-z]+$/.test(name) && name !== 'bridge',
    );
    if (names.length > 0) said('network', 'rm', ...names);
  });
}

describeRoot('tsbox network', () => {
  // The one that is set up last runs first: containers go before the networks they are in.
  removesNetworks();
  removesAll();

  test('create makes what ls and inspect show', () => {
    const id = said(
      ...[
        'network',
        'create',
        '--subnet',
        '10.5.0.0/24',
        '--gateway',
        '10.5.0.254',
        '--ip-range',
        '10.5.0.128/25',
      ],
      ...['--internal', '--label', 'tier=back', '-o', 'mtu=1400', 'backend'],
    );
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    const bridge = inspectNetwork('bridge').Id;
    expect(said('network', 'ls', '-f', 'driver=bridge')).toBe(
      [
        'NETWORK ID     NAME      DRIVER   SCOPE',
        `${id.slice(0, 12)}   backend   bridge   local`,
        `${bridge.slice(0, 12)}   bridge    bridge   local`,
      ].join('\n'),
    );
    expect(inspectNetwork('backend')).toEqual({
      Name: 'backend',
      Id: id,
      Created: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      Scope: 'local',
      Driver: 'bridge',
      EnableIPv4: true,
      EnableIPv6: false,
      IPAM: {
        Driver: 'default',
        Options: null,
        Config: [{ Subnet: '10.5.0.0/24', IPRange: '10.5.0.128/25', Gateway: '10.5.0.254' }],
      },
      Internal: true,
      Attachable: false,
      Ingress: false,
      ConfigFrom: { Network: '' },
      ConfigOnly: false,
      Containers: {},
      Options: { 'com.docker.network.bridge.name': `br-${id.slice(0, 12)}`, mtu: '1400' },
      Labels: { tier: 'back' },
    });
    expect(
      said('network', 'inspect', '-f', '{{.Name}} {{(index .IPAM.Config 0).Subnet}}', id.slice(0, 8)),
    ).toBe('backend 10.5.0.0/24');
    expect(said('network', 'ls', '--no-trunc', '-q', '-f', 'label=tier=back')).toBe(id);
    expect(said('network', 'ls', '-q', '-f', 'label=tier=front')).toBe('');
    expect(
      said('network', 'ls', '--format', '{{.Name}}/{{.Driver}}/{{.Internal}}/{{.IPv6}}').split('\n'),
    ).toEqual([
      'backend/bridge/true/false',
      'bridge/bridge/false/true',
      'host/host/false/false',
      'none/null/false/false',
    ]);
    expect(said('network', 'ls', '-f', 'name=back', '--format', '{{.Name}} {{.Label "tier"}}')).toBe(
      'backend back',
    );
    expect(json('network', 'ls', '--format', 'json', '-f', 'name=back')).toMatchObject({
      Name: 'backend',
      Labels: 'tier=back',
      Scope: 'local',
    });
    expect(inspect('backend')).toEqual(inspectNetwork('backend'));
    expect(failed(tsbox(['inspect', '--type', 'volume', 'backend']))).toEqual({
      status: 1,
      stderr: 'tsbox: no such volume: backend',
    });
    expect(failed(tsbox(['inspect', 'Nothing']))).toEqual({
      status: 1,
      stderr: 'tsbox: there is no container, image, network or volume `Nothing`',
    });
    expect(said('network', 'rm', 'backend')).toBe('backend');
    expect(readdirSync(join(store, 'networks'))).not.toContain('backend');
  });

  test('--aux-address keeps addresses for others', () => {
    const aux = ['--aux-address', 'router=10.5.0.2', '--aux-address', 'printer=10.5.0.3'];
    said('network', 'create', '--subnet', '10.5.0.0/24', ...aux, 'backend');
    expect(inspectNetwork('backend').IPAM.Config).toEqual([
      {
        Subnet: '10.5.0.0/24',
        Gateway: '10.5.0.1',
        AuxiliaryAddresses: { router: '10.5.0.2', printer: '10.5.0.3' },
      },
    ]);
    const format = '{{index (index .IPAM.Config 0).AuxiliaryAddresses "router"}}';
    expect(said('network', 'inspect', '-f', format, 'backend')).toBe('10.5.0.2');
    expect(inside(['--network', 'backend'], 'hostname -i')).toBe('10.5.0.4\n');
    expect(failed(tsbox(['run', '--network', 'backend', '--ip', '10.5.0.3', image, 'true']))).toEqual({
      status: 125,
      stderr: 'tsbox: --ip 10.5.0.3: is an auxiliary address of network backend, kept for somebody else',
    });
    const create = ['network', 'create', '--subnet', '10.6.0.0/24', 'other'];
    expect(failed(tsbox([...create, '--aux-address', 'r=10.6.0.2', '--aux-address', 'r=10.6.0.3']))).toEqual({
      status: 125,
      stderr: 'tsbox: --aux-address "r=10.6.0.3": the name is given twice',
    });
    expect(failed(tsbox([...create, '--aux-address', '10.6.0.2']))).toEqual({
      status: 125,
      stderr: 'tsbox: auxiliary address 10.6.0.2=: not an address',
    });
  });

  test('a container has what it asked for, and inspect and ps say so', () => {
    said('network', 'create', '--subnet', '10.5.0.0/24', '--subnet', 'fd00:5::/64', 'backend');
    const flags = ['--ip', '10.5.0.77', '--ip6', 'fd00:5::77', '--mac-address', '02:00:00:00:00:77'];
    const id = said(
      'run',
      '-d',
      '--name',
      'db',
      '--network',
      'backend',
      '--network-alias',
      'sql',
      ...flags,
      image,
      ...sleeps,
    );
    const shown = spawnSync(
      'nsenter',
      ['-t', String(inspect('db').State.Pid), '-n', 'ip', '-j', 'addr', 'show', 'eth0'],
      { encoding: 'utf8' },
    );
    const [eth0] = JSON.parse(shown.stdout);
    expect(eth0.address).toBe('02:00:00:00:00:77');
    const addresses = eth0.addr_info.map(
      ({ local, prefixlen }: { local: string; prefixlen: number }) => `${local}/${prefixlen}`,
    );
    expect(addresses).toEqual(expect.arrayContaining(['10.5.0.77/24', 'fd00:5::77/64']));
    const network = inspectNetwork('backend');
    expect(network.Containers).toEqual({
      [id]: {
        Name: 'db',
        EndpointID: expect.stringMatching(/^[0-9a-f]{64}$/),
        MacAddress: '02:00:00:00:00:77',
        IPv4Address: '10.5.0.77/24',
        IPv6Address: 'fd00:5::77/64',
      },
    });
    const { NetworkSettings, HostConfig, HostsPath } = inspect('db');
    expect(HostConfig.NetworkMode).toBe('backend');
    expect(HostsPath).toBe(join(store, 'containers', id, 'hosts'));
    expect(NetworkSettings.IPAddress).toBe('');
    expect(NetworkSettings.Networks).toEqual({
      backend: {
        IPAMConfig: { IPv4Address: '10.5.0.77', IPv6Address: 'fd00:5::77' },
        Links: null,
        Aliases: ['sql'],
        MacAddress: '02:00:00:00:00:77',
        DriverOpts: null,
        NetworkID: network.Id,
        EndpointID: network.Containers[id].EndpointID,
        Gateway: '10.5.0.1',
        IPAddress: '10.5.0.77',
        IPPrefixLen: 24,
        IPv6Gateway: 'fd00:5::1',
        GlobalIPv6Address: 'fd00:5::77',
        GlobalIPv6PrefixLen: 64,
        DNSNames: ['db', 'sql', id.slice(0, 12)],
      },
    });
    expect(said('ps', '-f', 'network=backend', '--format', '{{.Names}} {{.Networks}}')).toBe('db backend');
    expect(said('ps', '-q', '-f', 'network=bridge')).toBe('');
    expect(inside(['--network', 'backend'], 'grep -o "10.5.0.77.*" /etc/hosts')).toBe(
      `10.5.0.77\tdb sql ${id.slice(0, 12)}\n`,
    );
    said('stop', '-t', '0', 'db');
    expect(inspectNetwork('backend').Containers).toEqual({});
    expect(inspect('db').NetworkSettings.Networks.backend).toMatchObject({
      IPAMConfig: { IPv4Address: '10.5.0.77' },
      IPAddress: '',
      MacAddress: '',
    });
    // Free while it does not run: somebody else may have it, and it cannot start then.
    said('run', '-d', '--name', 'thief', '--network', 'backend:ip=10.5.0.77', image, ...sleeps);
    expect(failed(tsbox(['start', 'db'])).stderr).toContain(
      'network backend: container thief has the address 10.5.0.77 already',
    );
    said('rm', '-f', 'thief');
    said('start', 'db');
    expect(inspect('db').NetworkSettings.Networks.backend.IPAddress).toBe('10.5.0.77');
  });

  test('in the default network, addresses are where Docker has them', () => {
    said('run', '-d', '--name', 'web', '--network', 'bridge', image, ...sleeps);
    const { NetworkSettings } = inspect('web');
    const { Subnet, Gateway } = inspectNetwork('bridge').IPAM.Config[0];
    expect(Subnet).toBe('10.87.0.0/16');
    expect(NetworkSettings).toMatchObject({
      IPAddress: expect.stringMatching(/^10\.87\./),
      IPPrefixLen: 16,
      Gateway,
      MacAddress: expect.stringMatching(/^02:42:0a:57:/),
    });
    expect(NetworkSettings.Networks.bridge).toMatchObject({
      IPAddress: NetworkSettings.IPAddress,
      DNSNames: null,
    });
    expect(NetworkSettings.SandboxKey).toBe(`/proc/${inspect('web').State.Pid}/ns/net`);
  });

  test('connect and disconnect, while it runs and while it does not', () => {
    said('network', 'create', '--subnet', '10.5.0.0/24', 'one');
    said('network', 'create', '--subnet', '10.6.0.0/24', 'two');
    const interfaces = () => said('exec', 'web', 'sh', '-c', 'ls /sys/class/net').split(/\s+/).sort();
    said('run', '-d', '--name', 'web', '--network', 'one', image, ...sleeps);
    said('network', 'connect', '--ip', '10.6.0.9', '--alias', 'www', 'two', 'web');
    expect(interfaces()).toEqual(['eth0', 'eth1', 'lo']);
    expect(inspect('web').NetworkSettings.Networks).toMatchObject({
      one: { IPAddress: '10.5.0.2' },
      two: { IPAddress: '10.6.0.9', Aliases: ['www'] },
    });
    expect(inside(['--network', 'two'], 'grep -c "10.6.0.9.*www" /etc/hosts')).toBe('1\n');
    expect(failed(tsbox(['network', 'connect', 'two', 'web']))).toEqual({
      status: 125,
      stderr: 'tsbox: container web is in network two already',
    });
    said('network', 'disconnect', 'one', 'web');
    expect(interfaces()).toEqual(['eth1', 'lo']);
    expect(failed(tsbox(['network', 'disconnect', 'one', 'web']))).toEqual({
      status: 125,
      stderr: 'tsbox: container web is not in network one',
    });
    said('stop', '-t', '0', 'web');
    said('network', 'connect', 'one', 'web');
    said('network', 'disconnect', 'two', 'web');
    said('start', 'web');
    expect(Object.keys(inspect('web').NetworkSettings.Networks)).toEqual(['one']);
    expect(
      said(
        'events',
        '--since',
        '10m',
        '--until',
        '0s',
        '-f',
        'type=network',
        '-f',
        'event=connect',
        '-f',
        'network=two',
        '--format',
        '{{.Action}} {{.Actor.Attributes.name}} {{.Actor.Attributes.type}}',
      ).split('\n')[0],
    ).toBe('connect two bridge');
  });

  test('what is in use stays, and its users are named; what is removed leaves nothing', () => {
    const before = links().filter((name) => name !== 'tsbox0');
    said('network', 'create', 'backend');
    for (const name of ['a', 'b'])
      said('run', '-d', '--name', `user-${name}`, '--network', 'backend', image, ...sleeps);
    const there = links();
    expect(there.some((name) => name.startsWith('br-'))).toBe(true);
    const refusal = tsbox(['network', 'rm', 'backend', 'nowhere']);
    expect(refusal.status).toBe(1);
    expect(refusal.stdout).toBe('');
    expect(refusal.stderr).toMatch(
      /^tsbox: network backend has active endpoints: user-(a, user-b|b, user-a)\n {2}stop them, .*\ntsbox: no such network: nowhere\n/,
    );
    expect(links()).toEqual(there);
    expect(said('network', 'prune', '-f')).toBe('');
    said('stop', '-t', '0', 'user-a', 'user-b');
    // They would be in it once they are started.
    expect(said('network', 'prune', '-f')).toBe('');
    said('rm', 'user-a', 'user-b');
    expect(said('network', 'prune', '-f', '--filter', 'label=x')).toBe('');
    expect(said('network', 'prune', '-f', '--filter', 'until=1h')).toBe('');
    expect(tsbox(['network', 'prune', '-f']).stdout).toBe('Deleted Networks:\nbackend\n\n');
    expect(links().filter((name) => name !== 'tsbox0')).toEqual(before);
    expect(existsSync(join(store, 'networks', 'backend'))).toBe(false);
  });

  test('prune asks, and system prune does it too', () => {
    said('network', 'create', 'backend');
    expect(tsbox(['network', 'prune'], { input: 'n\n' }).stdout).toBe(
      'WARNING! This will remove all custom networks not used by at least one container.\nAre you sure you want to continue? [y/N] ',
    );
    expect(tsbox(['system', 'prune'], { input: 'n\n' }).stdout).toContain(
      '  - all networks not used by at least one container\n',
    );
    expect(said('network', 'ls', '-q', '-f', 'name=backend')).not.toBe('');
    expect(said('system', 'prune', '-f')).toContain('Deleted Networks:\nbackend\n');
  });

  test('rm -f says nothing of those that are not there, and removes one whose note is damaged', () => {
    expect(tsbox(['network', 'rm', '-f', 'nowhere'])).toEqual({ status: 0, stdout: 'nowhere\n', stderr: '' });
    said('network', 'create', 'broken');
    writeFileSync(join(store, 'networks', 'broken', 'network.json'), '{"name":"broken"');
    expect(failed(tsbox(['run', '--rm', '--network', 'broken', image, 'true'])).stderr).toMatch(
      /^tsbox: network broken: .*network\.json is damaged$/,
    );
    expect(tsbox(['network', 'rm', 'broken']).status).toBe(1);
    expect(said('network', 'ls', '-q', '-f', 'name=broken')).toBe('');
    expect(tsbox(['network', 'rm', '-f', 'broken'])).toEqual({ status: 0, stdout: 'broken\n', stderr: '' });
    for (const name of ['bridge', 'host', 'none'])
      expect(failed(tsbox(['network', 'rm', '-f', name])).stderr).toBe(
        `tsbox: ${name} is a pre-defined network and cannot be removed`,
      );
  });

  test('run refuses what cannot be, before anything is made', () => {
    said('network', 'create', '--subnet', '10.5.0.0/30', 'tiny');
    const no = (...flags: string[]) => failed(tsbox(['run', '--rm', ...flags, image, 'true']));
    expect(no('--network', 'tinny')).toEqual({
      status: 125,
      stderr: 'tsbox: no such network: tinny; did you mean tiny?',
    });
    expect(no('--network', 'tiny', '--ip', '10.6.0.1').stderr).toBe(
      'tsbox: --ip 10.6.0.1: network tiny is 10.5.0.0/30',
    );
    expect(no('--network', 'tiny', '--ip6', 'fd00::1').stderr).toBe(
      'tsbox: --ip6 fd00::1: network tiny has no IPv6',
    );
    expect(no('--network', 'tiny', '--network', 'host').stderr).toBe(
      'tsbox: --network host: cannot be combined with other networks',
    );
    expect(no('--network', 'none', '--mac-address', '02:42:ac:11:00:02').stderr).toBe(
      'tsbox: --mac-address 02:42:ac:11:00:02: cannot be combined with --network none',
    );
    expect(no('--link-local-ip', '169.254.0.1').stderr).toBe(
      'tsbox: --link-local-ip is not supported; addresses are chosen by --ip and --ip6',
    );
    said('run', '-d', '--network', 'tiny', image, ...sleeps);
    expect(no('--network', 'tiny').stderr).toBe('tsbox: network tiny: no address is left in 10.5.0.0/30');
    expect(said('ps', '-aq').split('\n')).toHaveLength(1);
    expect(readdirSync(join(store, 'networks', 'tiny', 'addresses'))).toEqual(['10.5.0.2']);
  });

  test('names and servers that were asked for', () => {
    said('network', 'create', '--subnet', '10.5.0.0/24', 'backend');
    const files = (...flags: string[]) => inside(flags, 'cat /etc/hosts /etc/resolv.conf');
    const asked = [
      '--add-host',
      'db:192.0.2.7',
      '--dns',
      '192.0.2.53',
      '--dns-search',
      'a.example',
      '--dns-option',
      'ndots:2',
    ];
    for (const network of ['none', 'host', 'backend']) {
      const text = files('--network', network, ...asked);
      expect(text, network).toMatch(/^192\.0\.2\.7\tdb$/m);
      expect(text, network).toMatch(/^nameserver 192\.0\.2\.53\nsearch a\.example\noptions ndots:2$/m);
      expect(text.match(/^nameserver /gm), network).toHaveLength(1);
    }
    expect(files('--network', 'backend', '--add-host', 'gw:host-gateway')).toMatch(/^10\.5\.0\.1\tgw$/m);
    expect(files('--network', 'host', '--add-host', 'gw:host-gateway')).toMatch(/^127\.0\.0\.1\tgw$/m);
  });

  test('macvlan shares a link of the host; what the kernel or the host has not is said, and nothing stays', () => {
    const ip = (...args: string[]) => expect(spawnSync('ip', args, { encoding: 'utf8' }).stderr).toBe('');
    ip('link', 'add', 'lan0', 'type', 'veth', 'peer', 'name', 'lan1');
    for (const name of ['lan0', 'lan1']) ip('link', 'set', name, 'up');
    ip('addr', 'add', '192.0.2.1/24', 'dev', 'lan0');
    try {
      const macvlan = (name: string, subnet: string, parent: string) =>
        tsbox(['network', 'create', '-d', 'macvlan', '--subnet', subnet, '-o', `parent=${parent}`, name]);
      expect(macvlan('lan', '192.0.2.0/24', 'lan1').status).toBe(0);
      expect(
        inside(
          ['--network', 'lan:ip=192.0.2.9'],
          'ip -o -4 addr show eth0 | grep -o 192.0.2.9/24; ping -c 1 -W 5 192.0.2.1 >/dev/null && echo reached',
        ),
      ).toBe('192.0.2.9/24\nreached\n');
      expect(failed(macvlan('again', '198.51.100.0/24', 'lan1'))).toEqual({
        status: 125,
        stderr: 'tsbox: network lan has the interface lan1 already',
      });
      expect(macvlan('gone', '198.51.100.0/24', 'lan9').status).toBe(0);
      expect(failed(tsbox(['run', '--rm', '--network', 'gone', image, 'true'])).stderr).toBe(
        'tsbox: there is no interface lan9 to connect the container to',
      );
    } finally {
      ip('link', 'del', 'lan0');
    }
    ip('link', 'add', 'web0', 'type', 'bridge');
    try {
      said('network', 'create', '-o', 'com.docker.network.bridge.name=web0', 'foreign');
      expect(failed(tsbox(['run', '--rm', '--network', 'foreign', image, 'true'])).stderr).toBe(
        'tsbox: there is a bridge web0 already, which this network has not made',
      );
      said('network', 'rm', 'foreign');
      // It is somebody's.
      expect(links()).toContain('web0');
    } finally {
      ip('link', 'del', 'web0');
    }
    expect(said('ps', '-aq')).toBe('');
  });

  test('Tab knows networks', () => {
    said('network', 'create', 'backend');
    const complete = (...words: string[]) => said('__complete', ...words).split('\n');
    expect(complete('network', '')).toEqual([
      'connect',
      'create',
      'disconnect',
      'inspect',
      'ls',
      'prune',
      'rm',
    ]);
    expect(complete('network', 'rm', '')).toEqual(['backend']);
    expect(complete('network', 'inspect', 'b')).toEqual(['backend', 'bridge']);
    expect(complete('run', '--network', 'h')).toEqual(['host']);
  });
});

describeRoot('what tsbox network refuses', () => {
  beforeAll(() => said('network', 'inspect', 'bridge'));

  test.each([
    [
      ['create', '--subnet', '10.5.0.1/24', 'x'],
      '10.5.0.1/24 is an address in a subnet; the subnet is 10.5.0.0/24',
    ],
    [
      ['create', '--subnet', '10.87.3.0/24', 'x'],
      'subnet 10.87.3.0/24 overlaps 10.87.0.0/16 of network bridge',
    ],
    [['create', '--gateway', '10.5.0.1', 'x'], 'gateway 10.5.0.1 is in no subnet of the network'],
    [['create', '--driver', 'overlay', 'x'], '--driver "overlay": there is no such driver'],
    [['create', '-o', 'mtuu=1400', 'x'], '--opt "mtuu=1400": bridge has no such option; did you mean mtu?'],
    [
      ['create', 'a/b'],
      'network name "a/b": not a name (1 to 128 letters, digits, `_`, `.` and `-`, beginning with a letter or digit)',
    ],
    [['create', 'host'], 'network name host: is reserved; the networks bridge, host, none are always there'],
    [
      ['ls', '-f', 'driverr=x'],
      '--filter driverr=x: there is no filter driverr; did you mean driver?; known are dangling, driver, id, label, name, scope, type',
    ],
    [['ls', '-f', 'type=own'], '--filter type=own: the types are custom and builtin'],
    [
      ['prune', '-f', '--filter', 'name=x'],
      '--filter name=x: there is no filter name; known are label, label!, until',
    ],
    [
      ['connect', '--link', 'x', 'bridge', 'web'],
      '--link is not supported; containers of one network find each other by name',
    ],
    [
      ['connect', '--link-local-ip', '169.254.0.1', 'bridge', 'web'],
      '--link-local-ip is not supported; addresses are chosen by --ip and --ip6',
    ],
    [['connect', 'bridge', 'nobody'], 'there is no container `nobody`'],
    [['crate', 'x'], 'no such command: "network crate"; did you mean create?'],
  ])('network %j is refused', (args, message) => {
    const { status, stdout, stderr } = tsbox(['network', ...args]);
    expect(stderr.split('\n')[0]).toBe(`tsbox: ${message}`);
    expect({ status, stdout }).toEqual({ status: 125, stdout: '' });
  });
});
