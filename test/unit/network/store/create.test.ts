import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  type CreateNetworkOptions,
  createNetwork as create,
  findNetwork,
  lease,
  listNetworks,
  removeNetwork,
} from '../../../../src/network/store/index.ts';
import { containerId, hostWith, useStore } from './support.ts';

const store = useStore();
const createNetwork = (options: CreateNetworkOptions, host = hostWith()) => create(options, host);
const refused = (code: string, message: string | RegExp) =>
  expect.objectContaining({
    code,
    message: typeof message === 'string' ? message : expect.stringMatching(message),
  });

describe('createNetwork', () => {
  test('chooses what is free', () => {
    const web = createNetwork({ name: 'web', labels: { tier: 'front' } });
    expect(web).toEqual({
      name: 'web',
      id: expect.stringMatching(/^[0-9a-f]{64}$/),
      driver: 'bridge',
      interface: `br-${web.id.slice(0, 12)}`,
      subnets: [{ subnet: '10.80.0.0/24', gateway: '10.80.0.1' }],
      internal: false,
      ipv6: false,
      options: {},
      labels: { tier: 'front' },
      created: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    });
    expect(createNetwork({ name: 'db' }).subnets[0]?.subnet).toBe('10.80.1.0/24');
    expect(JSON.parse(readFileSync(join(store.root(), 'networks/web/network.json'), 'utf8'))).toEqual(web);
    expect(findNetwork('web')).toEqual(web);
    expect(findNetwork(web.id)).toEqual(web);
    expect(findNetwork(web.id.slice(0, 12))).toEqual(web);
  });

  test('no route of the host is overlapped, whichever is larger', () => {
    const host = hostWith([
      '10.80.0.0/14',
      '10.84.0.128/25',
      '0.0.0.0/0',
      '127.0.0.1/8',
      'fe80::/64',
      '192.0.2.7/24',
    ]);
    expect(createNetwork({ name: 'web' }, host).subnets[0]?.subnet).toBe('10.84.1.0/24');
  });

  test('where one pool is taken, the next one', () => {
    expect(createNetwork({ name: 'a' }, hostWith(['10.0.0.0/8'])).subnets[0]?.subnet).toBe('172.16.0.0/24');
    expect(createNetwork({ name: 'b' }, hostWith(['10.0.0.0/8', '172.16.0.0/12'])).subnets[0]?.subnet).toBe(
      '192.168.0.0/24',
    );
    const full = hostWith(['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16']);
    expect(() => createNetwork({ name: 'c' }, full)).toThrow(
      refused('NO_SUBNET_LEFT', 'there is no free subnet left for a network'),
    );
  });

  test('IPv6 is of unique local addresses', () => {
    const [, ipv6] = createNetwork({ name: 'web', ipv6: true }).subnets;
    expect(ipv6?.subnet).toMatch(/^fd[0-9a-f]{2}:[0-9a-f:]+::\/64$/);
    expect(ipv6?.gateway).toBe(ipv6?.subnet.replace('/64', '1'));
    const [, other] = createNetwork({ name: 'db', ipv6: true }).subnets;
    expect(other?.subnet).not.toBe(ipv6?.subnet);
  });

  test('subnets, gateways and ranges find each other', () => {
    const { subnets, ipv6 } = createNetwork({
      name: 'web',
      subnets: ['fd12:3456::/64', '10.5.0.0/16'],
      gateways: ['10.5.9.9', 'fd12:3456::ff'],
      ipRanges: ['10.5.7.0/24'],
    });
    expect(subnets).toEqual([
      { subnet: '10.5.0.0/16', gateway: '10.5.9.9', range: '10.5.7.0/24' },
      { subnet: 'fd12:3456::/64', gateway: 'fd12:3456::ff' },
    ]);
    expect(ipv6).toBe(true);
  });

  test('auxiliary addresses are kept with the subnet that each is in', () => {
    const { subnets } = createNetwork({
      name: 'web',
      subnets: ['10.5.0.0/16', 'fd12:3456::/64'],
      auxiliaryAddresses: { router: '10.5.0.7', ['__proto__']: 'FD12:3456:0::7', printer: '10.5.0.8' },
    });
    expect(subnets.map(({ auxiliaryAddresses }) => Object.entries(auxiliaryAddresses ?? {}))).toEqual([
      [
        ['router', '10.5.0.7'],
        ['printer', '10.5.0.8'],
      ],
      [['__proto__', 'fd12:3456::7']],
    ]);
    expect(findNetwork('web').subnets).toEqual(subnets);
  });

  test.each([
    [{ subnets: ['10.5.0.1/16'] }, '10.5.0.1/16 is an address in a subnet; the subnet is 10.5.0.0/16'],
    [
      { subnets: ['10.5.0.0/31'] },
      '10.5.0.0/31 is too small: there is no room for a gateway and a container',
    ],
    [
      { subnets: ['10.5.0.0/16', '10.6.0.0/16'] },
      'a network has one subnet of IPv4, not 10.5.0.0/16 and 10.6.0.0/16',
    ],
    [{ subnets: ['127.5.0.0/16'] }, '127.5.0.0/16 cannot be a network’s: 127.0.0.0/8 is loopback'],
    [{ subnets: ['224.0.0.0/8'] }, '224.0.0.0/8 cannot be a network’s: 224.0.0.0/4 is for multicast'],
    [{ subnets: ['0.0.0.0/0'] }, '0.0.0.0/0 cannot be a network’s: 0.0.0.0/8 is for “this network”'],
    [{ subnets: ['fe80::/64'] }, 'fe80::/64 cannot be a network’s: fe80::/10 is for link-local addresses'],
    [{ gateways: ['10.5.0.1'] }, 'gateway 10.5.0.1 is in no subnet of the network'],
    [{ subnets: ['10.5.0.0/16'], gateways: ['10.6.0.1'] }, 'gateway 10.6.0.1 is in no subnet of the network'],
    [{ subnets: ['10.5.0.0/16'], gateways: ['10.5.0.1', '10.5.0.2'] }, '10.5.0.0/16 has two gateways'],
    [
      { subnets: ['10.5.0.0/16'], gateways: ['10.5.255.255'] },
      'gateway 10.5.255.255 is no address that a host can have in 10.5.0.0/16',
    ],
    [{ subnets: ['10.5.0.0/16'], gateways: ['web'] }, 'gateway "web": not an address'],
    [
      { subnets: ['10.5.0.0/16'], ipRanges: ['10.6.0.0/24'] },
      'range 10.6.0.0/24 is in no subnet of the network',
    ],
    [
      { subnets: ['10.5.0.0/16'], ipRanges: ['10.0.0.0/8'] },
      'range 10.0.0.0/8 is in no subnet of the network',
    ],
    [{ subnets: ['10.5.0.0/16'], ipRanges: ['10.5.0.0/24', '10.5.1.0/24'] }, '10.5.0.0/16 has two ranges'],
    [
      { subnets: ['10.5.0.0/16'], auxiliaryAddresses: { router: '10.6.0.7' } },
      'auxiliary address router=10.6.0.7 is in no subnet of the network',
    ],
    [
      { auxiliaryAddresses: { router: '10.80.0.7' } },
      'auxiliary address router=10.80.0.7 is in no subnet of the network',
    ],
    [
      { subnets: ['10.5.0.0/16'], auxiliaryAddresses: { router: 'web\n' } },
      'auxiliary address "router=web\\n": not an address',
    ],
    [
      { subnets: ['10.5.0.0/16'], auxiliaryAddresses: { router: '' } },
      'auxiliary address router=: not an address',
    ],
    [
      { subnets: ['10.5.0.0/16'], auxiliaryAddresses: { router: '10.5.255.255' } },
      'auxiliary address router=10.5.255.255 is no address that a host can have in 10.5.0.0/16',
    ],
    [
      { subnets: ['10.5.0.0/16'], auxiliaryAddresses: { router: '10.5.0.1' } },
      'auxiliary address router=10.5.0.1 is the gateway of 10.5.0.0/16',
    ],
    [
      { subnets: ['fd00:5::/64'], gateways: ['fd00:5::9'], auxiliaryAddresses: { router: 'fd00:5:0::9' } },
      'auxiliary address router=fd00:5:0::9 is the gateway of fd00:5::/64',
    ],
    [
      { subnets: ['10.5.0.0/16'], auxiliaryAddresses: { one: '10.5.0.7', two: '10.5.0.7' } },
      'auxiliary address two=10.5.0.7 is that of one already',
    ],
  ])('%j is refused', (options, message) => {
    expect(() => createNetwork({ name: 'web', ...options })).toThrow(refused('BAD_SUBNET', message));
    expect(existsSync(join(store.root(), 'networks/web'))).toBe(false);
  });

  test('a subnet of another network is refused, and named; so is one that holds a route of the host', () => {
    createNetwork({ name: 'db', subnets: ['10.5.0.0/16'] });
    expect(() => createNetwork({ name: 'web', subnets: ['10.5.7.0/24'] })).toThrow(
      refused('SUBNET_OVERLAP', 'subnet 10.5.7.0/24 overlaps 10.5.0.0/16 of network db'),
    );
    const host = hostWith(['10.7.1.2/24', '10.0.0.0/8']);
    expect(() => createNetwork({ name: 'web', subnets: ['10.7.0.0/16'] }, host)).toThrow(
      refused(
        'SUBNET_OVERLAP',
        'subnet 10.7.0.0/16 overlaps 10.7.1.0/24, which this host has a route to: it would no longer reach it',
      ),
    );
    // Inside of what is a VPN's, say: it was asked for.
    expect(createNetwork({ name: 'web', subnets: ['10.8.0.0/16'] }, host).subnets[0]?.subnet).toBe(
      '10.8.0.0/16',
    );
    expect(
      createNetwork(
        { name: 'lan', driver: 'macvlan', subnets: ['10.7.1.0/24'], options: { parent: 'eth0' } },
        host,
      ).interface,
    ).toBe('eth0');
  });

  test.each(['', '.', '..', '../x', '-x', 'a/b', 'a b', 'a:b', 'é', 'a\n', `${'x'.repeat(129)}`])(
    'the name %j is refused',
    (name) => {
      expect(() => createNetwork({ name })).toThrow(refused('BAD_OPTION', /^network name ".*": not a name/s));
    },
  );

  test.each(['bridge', 'host', 'none', 'default', 'container'])('the name %s is reserved', (name) => {
    expect(() => createNetwork({ name })).toThrow(
      refused(
        'BAD_OPTION',
        `network name ${name}: is reserved; the networks bridge, host, none are always there`,
      ),
    );
  });

  test('a name is there once', () => {
    createNetwork({ name: 'web' });
    expect(() => createNetwork({ name: 'web' })).toThrow(
      refused('NETWORK_EXISTS', 'network with name web already exists'),
    );
  });

  test('drivers and their options', () => {
    expect(() => createNetwork({ name: 'a', driver: 'macvlna' })).toThrow(
      refused('BAD_OPTION', '--driver "macvlna": there is no such driver; did you mean macvlan?'),
    );
    expect(() => createNetwork({ name: 'a', driver: 'ipvlan' })).toThrow(
      refused('BAD_OPTION', 'ipvlan needs a link of the host to share'),
    );
    const bad = (options: Record<string, string>) => () => createNetwork({ name: 'a', options });
    expect(bad({ mtu: '12' })).toThrow(refused('BAD_OPTION', '--opt "mtu=12": not from 68 to 65535'));
    expect(bad({ parent: 'eth0' })).toThrow(
      refused('BAD_OPTION', '--opt "parent=eth0": bridge has no such option'),
    );
    expect(bad({ 'com.docker.network.bridge.name': 'a/b' })).toThrow(
      refused('BAD_OPTION', /not the name of an interface/),
    );
    expect(bad({ 'com.docker.network.bridge.name': 'a%d' })).toThrow(
      refused('BAD_OPTION', /not the name of an interface/),
    );
    expect(bad({ 'com.docker.network.bridge.nam': 'x' })).toThrow(
      refused('BAD_OPTION', /did you mean com\.docker\.network\.bridge\.name\?/),
    );
    expect(bad({ constructor: 'x' })).toThrow(refused('BAD_OPTION', /bridge has no such option/));
    expect(
      createNetwork({ name: 'a', options: { 'com.docker.network.bridge.name': 'web0' } }).interface,
    ).toBe('web0');
    expect(() => createNetwork({ name: 'b', options: { 'com.docker.network.bridge.name': 'web0' } })).toThrow(
      refused('INTERFACE_IN_USE', 'network a has the interface web0 already'),
    );
  });

  test('without IPv6 on the host', () => {
    expect(() => createNetwork({ name: 'a', ipv6: true }, hostWith([], false))).toThrow(
      refused('NO_IPV6', /^this host has no IPv6/),
    );
    expect(findNetwork('bridge', hostWith([], false))).toMatchObject({
      ipv6: false,
      subnets: [{ subnet: '10.87.0.0/16' }],
    });
  });
});

describe('the default network', () => {
  test('is made where it is asked for, and stays', () => {
    const bridge = findNetwork('bridge', hostWith());
    expect(bridge).toMatchObject({ name: 'bridge', interface: 'tsbox0', driver: 'bridge', ipv6: true });
    expect(bridge.subnets[0]).toEqual({ subnet: '10.87.0.0/16', gateway: '10.87.0.1' });
    expect(bridge.subnets[1]?.subnet).toMatch(/^fd.*::\/64$/);
    expect(findNetwork('bridge', hostWith(['10.87.0.1/16']))).toEqual(bridge);
    expect(createNetwork({ name: 'web' }).subnets[0]?.subnet).toBe('10.80.0.0/24');
    expect(listNetworks(hostWith()).map(({ name }) => name)).toEqual(['bridge', 'web']);
  });

  test('goes elsewhere where the host has that already', () => {
    expect(findNetwork('bridge', hostWith(['10.87.3.0/24'])).subnets[0]?.subnet).toBe('10.80.0.0/16');
  });

  test('has another interface than that of another store', () => {
    const host = hostWith(['10.87.0.1/16', '10.80.0.1/16'], true, ['tsbox0', 'tsbox1']);
    expect(findNetwork('bridge', host)).toMatchObject({
      interface: 'tsbox2',
      subnets: [{ subnet: '10.81.0.0/16' }, {}],
    });
  });

  test('cannot be removed', () => {
    findNetwork('bridge', hostWith());
    expect(() => removeNetwork('bridge')).toThrow(
      refused('BAD_OPTION', 'bridge is a pre-defined network and cannot be removed'),
    );
  });
});

describe('finding and removing', () => {
  test('what is not there', () => {
    createNetwork({ name: 'backend' });
    expect(() => findNetwork('bakcend')).toThrow(
      refused('NO_NETWORK', 'no such network: bakcend; did you mean backend?'),
    );
    expect(() => findNetwork('../backend')).toThrow(refused('NO_NETWORK', /^no such network: \.\.\/backend/));
    expect(() => removeNetwork('frontend-of-all')).toThrow(
      refused('NO_NETWORK', 'no such network: frontend-of-all'),
    );
  });

  test('an ID that several begin with', () => {
    const ids = Array.from({ length: 17 }, (_, at) => createNetwork({ name: `n${at}` }).id);
    const digits = ids.map((id) => id[0] as string);
    const twice = digits.find((digit, at) => digits.indexOf(digit) !== at) as string;
    expect(() => findNetwork(twice)).toThrow(
      refused('AMBIGUOUS_ID', /^several networks have an ID that begins with/),
    );
  });

  test('one that is in use stays, and its users are named', () => {
    const web = createNetwork({ name: 'web' });
    lease(web, containerId(1));
    lease(web, containerId(2));
    const first = () => expect.unreachable();
    expect(() => removeNetwork('web', { first, nameOf: (id) => `c${Number.parseInt(id, 16)}` })).toThrow(
      refused('NETWORK_IN_USE', /^network web has active endpoints: (c1, c2|c2, c1)$/),
    );
    expect(findNetwork('web')).toEqual(web);
  });

  test('what fails to be removed in the kernel stays on disk', () => {
    createNetwork({ name: 'web' });
    const first = () => {
      throw new Error('busy');
    };
    expect(() => removeNetwork('web', { first })).toThrow('busy');
    expect(findNetwork('web').name).toBe('web');
    removeNetwork('web', { first: ({ name }) => expect(name).toBe('web') });
    expect(() => findNetwork('web')).toThrow(refused('NO_NETWORK', 'no such network: web'));
    expect(readdirSync(join(store.root(), 'networks'))).toEqual([]);
  });

  test('what a killed process left is cleared, and a damaged note is said', () => {
    mkdirSync(join(store.root(), 'networks/.new-web/addresses'), { recursive: true });
    mkdirSync(join(store.root(), 'networks/.gone-1234'), { recursive: true });
    createNetwork({ name: 'web' });
    expect(readdirSync(join(store.root(), 'networks'))).toEqual(['web']);
    for (const text of [
      '{',
      '[]',
      'null',
      '{"name":"web","subnets":[{"subnet":"x"}]}',
      '{"name":"db","subnets":[]}',
    ]) {
      writeFileSync(join(store.root(), 'networks/web/network.json'), text);
      expect(() => findNetwork('web')).toThrow(refused('NETWORK_DAMAGED', /network\.json is damaged$/));
    }
    expect(() => createNetwork({ name: 'web' })).toThrow(
      refused('NETWORK_EXISTS', 'network with name web already exists'),
    );
    expect(listNetworks(hostWith()).map(({ name }) => name)).toEqual(['bridge']);
  });
});
