import { describe, expect, it } from 'vitest';
import { dnsOptions, extraHosts } from '../../../../src/engine/options/names.ts';
import {
  type NetworkOptions,
  networkRequests,
  parseNetwork,
} from '../../../../src/engine/options/network.ts';
import { refusal } from '../fake-host.ts';

describe('--network', () => {
  it.each([
    ['backend', { network: 'backend' }],
    ['default', { network: 'bridge' }],
    ['3f2a', { network: '3f2a' }],
    ['backend:ip=10.1.2.3', { network: 'backend', ip: '10.1.2.3' }],
    ['backend:ip=fd00::7,alias=db,alias=sql', { network: 'backend', ip6: 'fd00::7', aliases: ['db', 'sql'] }],
    ['backend:ip=10.1.2.3,ip=fd00::7', { network: 'backend', ip: '10.1.2.3', ip6: 'fd00::7' }],
    ['backend:mac=02-42-AC-11-00-02', { network: 'backend', mac: '02:42:ac:11:00:02' }],
    [
      'name=backend,alias=db,ip=10.1.2.3,ip6=fd00::7,mac-address=02:42:ac:11:00:02',
      { network: 'backend', aliases: ['db'], ip: '10.1.2.3', ip6: 'fd00::7', mac: '02:42:ac:11:00:02' },
    ],
    ['alias=db,name=backend', { network: 'backend', aliases: ['db'] }],
  ])('%s', (text, request) => {
    expect(parseNetwork('--network', text)).toEqual(request);
  });

  it.each([
    ['', '--network "": not the name of a network; right would be: --network backend'],
    ['../x', '--network ../x: not the name of a network; right would be: --network backend'],
    ['a b', '--network "a b": not the name of a network; right would be: --network backend'],
    [
      'backend:',
      '--network backend:: "" is not of the form KEY=VALUE; right would be: --network name=backend,alias=db',
    ],
    [
      'backend:ip',
      '--network backend:ip: "ip" is not of the form KEY=VALUE; right would be: --network name=backend,alias=db',
    ],
    ['backend:ip=10.1.2', '--network 10.1.2: not an address of IPv4; right would be: --network 10.1.2.3'],
    [
      'backend:ip=10.1.2.3,ip=10.1.2.4',
      '--network backend:ip=10.1.2.3,ip=10.1.2.4: ip is there twice; right would be: --network name=backend,alias=db',
    ],
    [
      'backend:mac=1',
      '--network 1: not an address that an interface can have; right would be: --network 02:42:ac:11:00:02',
    ],
    [
      'backend:alias=a b',
      '--network "a b": not a host name (letters, digits, `_`, `.` and inner `-`); right would be: --network db',
    ],
    [
      'name=backend,aliass=x',
      '--network name=backend,aliass=x: no such option: "aliass"; did you mean alias?; right would be: --network name=backend,alias=db',
    ],
    [
      'alias=x',
      '--network alias=x: the name of the network is missing; right would be: --network name=backend,alias=db',
    ],
    ['name=host', '--network name=host: host is no network: it stands alone; right would be: --network host'],
    [
      'name="backend',
      '--network name="backend: a quote is not closed; right would be: --network name=backend,alias=db',
    ],
    [
      'name=backend,link-local-ip=169.254.1.2',
      '--network name=backend,link-local-ip=169.254.1.2: no such option: "link-local-ip"; right would be: --network name=backend,alias=db',
    ],
  ])('%j is refused', (text, message) => {
    expect(refusal(() => parseNetwork('--network', text))).toBe(message);
  });
});

describe('the networks of a container', () => {
  it('are as they were asked for, and what comes without a name is the first one’s', () => {
    expect(networkRequests({})).toEqual([{ network: 'bridge' }]);
    expect(networkRequests({ network: 'none' })).toEqual([]);
    expect(
      networkRequests({
        network: ['a', 'b:alias=y'],
        ip: '10.1.2.3',
        ip6: 'fd00::1',
        macAddress: '02:00:00:00:00:01',
        networkAlias: ['x'],
      }),
    ).toEqual([
      { network: 'a', ip: '10.1.2.3', ip6: 'fd00::1', mac: '02:00:00:00:00:01', aliases: ['x'] },
      { network: 'b', aliases: ['y'] },
    ]);
    expect(networkRequests({ network: ['default', 'b'], macAddress: '02:00:00:00:00:01' })).toEqual([
      { network: 'bridge', mac: '02:00:00:00:00:01' },
      { network: 'b' },
    ]);
  });

  const own = 'in networks of your own only (tsbox network create)';
  it.each<[NetworkOptions, string]>([
    [{ network: ['a', 'a'] }, '--network a: is there twice'],
    [{ network: ['none', 'a'] }, '--network none: cannot be combined with other networks'],
    [{ network: ['a', 'host'] }, '--network host: cannot be combined with other networks'],
    [{ network: ['a', 'container:x'] }, '--network container:x: cannot be combined with other networks'],
    [{ network: 'bridge', ip: '10.87.0.9' }, `--ip 10.87.0.9: an address can be chosen ${own}`],
    [{ network: 'bridge', ip6: 'fd00::9' }, `--ip6 fd00::9: an address can be chosen ${own}`],
    [{ network: 'default', networkAlias: ['x'] }, `--network-alias x: there are names ${own}`],
    [{ network: ['a', 'bridge:alias=x'] }, `--network-alias x: there are names ${own}`],
    [
      { network: 'a:ip=10.1.2.3', ip: '10.1.2.4' },
      '--ip 10.1.2.4: cannot be combined with the same in --network',
    ],
    [
      { network: 'a:alias=x', networkAlias: ['y'] },
      '--network-alias y: cannot be combined with the same in --network',
    ],
    [{ network: 'host', ip: '10.1.2.4' }, '--ip 10.1.2.4: cannot be combined with --network host'],
    [
      { network: 'none', macAddress: '02:00:00:00:00:01' },
      '--mac-address 02:00:00:00:00:01: cannot be combined with --network none',
    ],
    [
      { network: 'container:web', hostname: 'x' },
      '--hostname x: cannot be combined with --network container:web',
    ],
    [
      { network: 'container:web', dns: ['9.9.9.9'] },
      '--dns 9.9.9.9: cannot be combined with --network container:web',
    ],
    [
      { network: 'container:web', addHost: ['a:1.2.3.4'] },
      '--add-host a:1.2.3.4: cannot be combined with --network container:web',
    ],
    [
      { network: 'container:web', networkAlias: ['x'] },
      '--network-alias x: cannot be combined with --network container:web',
    ],
  ])('%j is refused', (options, message) => {
    expect(refusal(() => networkRequests(options))).toBe(message);
  });
});

describe('--dns and others', () => {
  it('are words of resolv.conf', () => {
    expect(dnsOptions({})).toEqual({});
    expect(
      dnsOptions({ dns: ['9.9.9.9', 'fe80::1%eth0'], dnsSearch: ['.'], dnsOption: ['ndots:2'] }),
    ).toEqual({ servers: ['9.9.9.9', 'fe80::1%eth0'], search: [], options: ['ndots:2'] });
    expect(dnsOptions({ dnsSearch: ['example.com', 'a_b.example.'] })).toEqual({
      search: ['example.com', 'a_b.example.'],
    });
  });
  it.each([
    [{ dns: ['9.9.9'] }, '--dns 9.9.9: not an address; right would be: --dns 9.9.9.9'],
    [{ dns: ['9.9.9.9%eth0'] }, '--dns 9.9.9.9%eth0: not an address; right would be: --dns 9.9.9.9'],
    [
      { dns: ['::1\nnameserver 1.2.3.4'] },
      '--dns "::1\\nnameserver 1.2.3.4": not an address; right would be: --dns 9.9.9.9',
    ],
    [{ dnsSearch: ['a b'] }, '--dns-search "a b": not a domain; right would be: --dns-search example.com'],
    [
      { dnsSearch: ['x\nnameserver'] },
      '--dns-search "x\\nnameserver": not a domain; right would be: --dns-search example.com',
    ],
    [{ dnsOption: ['a\nb'] }, '--dns-option "a\\nb": not one word; right would be: --dns-option ndots:2'],
    [{ dnsOption: [''] }, '--dns-option "": not one word; right would be: --dns-option ndots:2'],
  ])('%j is refused', (options, message) => {
    expect(refusal(() => dnsOptions(options))).toBe(message);
  });
});

describe('--add-host', () => {
  it.each([
    ['db:10.1.2.3', { name: 'db', address: '10.1.2.3' }],
    ['db=10.1.2.3', { name: 'db', address: '10.1.2.3' }],
    ['db:fd00::1', { name: 'db', address: 'fd00::1' }],
    ['db:[fd00::1]', { name: 'db', address: 'fd00::1' }],
    ['db=[fd00::1]', { name: 'db', address: 'fd00::1' }],
    ['host.docker.internal:host-gateway', { name: 'host.docker.internal' }],
  ])('%s', (text, host) => {
    expect(extraHosts({ addHost: [text] })).toEqual([host]);
  });
  it.each([
    ['db', 'not of the form NAME:ADDRESS'],
    [':10.1.2.3', 'not of the form NAME:ADDRESS'],
    ['a b:10.1.2.3', 'not of the form NAME:ADDRESS'],
    ['a\n1.2.3.4 b:10.1.2.3', 'not of the form NAME:ADDRESS'],
    ['db:', 'not an address'],
    ['db:10.1.2', 'not an address'],
    ['db:1.2.3.4\n1.2.3.5 x', 'not an address'],
    ['db:host-gatewa', 'not an address'],
  ])('%j is refused', (text, problem) => {
    expect(refusal(() => extraHosts({ addHost: [text] }))).toContain(
      `: ${problem}; right would be: --add-host db:10.1.2.3`,
    );
  });
});
