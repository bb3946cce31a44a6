import { release } from 'node:os';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type Attachment,
  attachInterfaces,
  detachInterface,
  ensureBridge,
} from '../../../src/network/link/index.ts';
import { eventually } from '../support/tsbox.ts';
import { change, describeLinks, ip, links, Namespace } from './namespaces.ts';

const [major = 0, minor = 0] = release().split('.').map(Number);

describeLinks('interfaces of containers', () => {
  const namespaces: Namespace[] = [];
  const make = async () => {
    const namespace = await Namespace.make();
    namespaces.push(namespace);
    return namespace;
  };
  beforeEach(() => {
    ensureBridge({
      name: 'tsbox0',
      alias: 'tsbox:0',
      mtu: 1400,
      addresses: ['10.87.0.1/16', 'fd00:87::1/64'],
    });
  });
  afterEach(async () => {
    for (const namespace of namespaces.splice(0)) await namespace.end();
    await eventually(() => links().every((name) => !name.startsWith('veth')), 'no veth left');
    for (const name of links()) if (links().includes(name)) change('link', 'delete', name);
  });

  /** The n-th container in the bridge. */
  const nth = (n: number, more: Partial<Attachment> = {}): Attachment => ({
    driver: 'bridge',
    parent: 'tsbox0',
    interface: 'eth0',
    mac: `02:42:0a:57:00:0${n}`,
    mtu: 1400,
    addresses: [`10.87.0.${n}/16`, `fd00:87::${n}/64`],
    gateways: ['10.87.0.1', 'fd00:87::1'],
    ...more,
  });

  test('an interface is up, with its address, its MTU and its routes, and so is lo', async () => {
    const one = await make();
    attachInterfaces(one.fd, [nth(2)]);
    const [lo, eth0] = one.ip('address');
    expect(lo).toMatchObject({ ifname: 'lo', flags: expect.arrayContaining(['UP']) });
    expect(eth0).toMatchObject({
      ifname: 'eth0',
      address: '02:42:0a:57:00:02',
      mtu: 1400,
      flags: expect.arrayContaining(['UP', 'LOWER_UP']),
      linkinfo: { info_kind: 'veth' },
    });
    expect(eth0.addr_info).toMatchObject([
      { family: 'inet', local: '10.87.0.2', prefixlen: 16, broadcast: '10.87.255.255', scope: 'global' },
      { family: 'inet6', local: 'fd00:87::2', prefixlen: 64, scope: 'global', nodad: true },
      { family: 'inet6', scope: 'link' },
    ]);
    expect(eth0.addr_info[1]).not.toHaveProperty('tentative');
    expect(one.ip('route')).toMatchObject([
      { dst: 'default', gateway: '10.87.0.1', dev: 'eth0' },
      { dst: '10.87.0.0/16', dev: 'eth0', prefsrc: '10.87.0.2' },
    ]);
    expect(one.ip('-6', 'route', 'show', 'default')).toMatchObject([{ gateway: 'fd00:87::1', dev: 'eth0' }]);
    const [end] = ip('link', 'show', 'type', 'veth');
    expect(end).toMatchObject({ master: 'tsbox0', mtu: 1400, inet6_addr_gen_mode: 'none' });
    expect(ip('address', 'show', end.ifname)).toMatchObject([{ addr_info: [] }]);
    expect(end.ifname).toMatch(/^veth[0-9a-f]{8}$/);
    expect(end.linkinfo.info_slave_data).toMatchObject({ hairpin: false });
  });

  test('without IPv6 there is no address of it at all, nor a default route without a gateway', async () => {
    const one = await make();
    attachInterfaces(one.fd, [nth(2, { addresses: ['10.87.0.2/16'], gateways: [] })]);
    expect(one.ip('address', 'show', 'eth0')[0].addr_info).toMatchObject([{ local: '10.87.0.2' }]);
    expect(one.ip('route', 'show', 'default')).toEqual([]);
  });

  test('the name of the host’s end, and its hairpin, are as they are asked for', async () => {
    const one = await make();
    attachInterfaces(one.fd, [nth(2, { hostInterface: 'vethmine', hairpin: true })]);
    expect(ip('link', 'show', 'vethmine')).toMatchObject([
      { linkinfo: { info_slave_data: { hairpin: true } } },
    ]);
  });

  test.skipIf(major < 6 || (major === 6 && minor < 9))(
    'on return packets flow: no port of the bridge is still waiting (needs Linux 6.9)',
    async () => {
      for (let n = 2; n < 8; n++) {
        const one = await make();
        attachInterfaces(one.fd, [nth(n)]);
        const states = ip('link', 'show', 'type', 'veth').map((end) => [
          end.operstate,
          end.linkinfo.info_slave_data.state,
        ]);
        expect(states).toEqual(states.map(() => ['UP', 'forwarding']));
        expect(ip('link', 'show', 'tsbox0')[0].operstate).toBe('UP');
      }
    },
  );

  test('several networks at once', async () => {
    ensureBridge({ name: 'other0', alias: 'tsbox:1', mtu: 9000, addresses: ['10.88.0.1/24'] });
    const one = await make();
    const second = { interface: 'eth1', parent: 'other0', mtu: 9000, mac: undefined, gateways: [] };
    attachInterfaces(one.fd, [nth(2), nth(3, { ...second, addresses: ['10.88.0.3/24'] })]);
    expect(one.ip('link').map(({ ifname, mtu }) => [ifname, mtu])).toEqual([
      ['lo', 65536],
      ['eth0', 1400],
      ['eth1', 9000],
    ]);
    const masters = ip('link', 'show', 'type', 'veth').map(({ master }) => master);
    expect(masters.sort()).toEqual(['other0', 'tsbox0']);
    // Later, into one that runs: nothing of what is there changes.
    const before = one.ip('route');
    detachInterface(one.fd, 'eth1');
    detachInterface(one.fd, 'eth1');
    expect(one.ip('link').map(({ ifname }) => ifname)).toEqual(['lo', 'eth0']);
    expect(ip('link', 'show', 'type', 'veth')).toHaveLength(1);
    attachInterfaces(one.fd, [nth(3, { ...second, addresses: ['10.88.0.3/24'] })]);
    expect(one.ip('route')).toEqual(before);
  });

  test.each<[string, Partial<Attachment>, string | RegExp]>([
    [
      'a bridge that is not there',
      { parent: 'nowhere0' },
      'there is no interface nowhere0 to connect the container to',
    ],
    [
      'a parent that is no bridge',
      { parent: 'lo' },
      'lo is no bridge that a container could be connected to',
    ],
    [
      'an address of a group',
      { mac: '01:00:5e:00:00:01' },
      /^connect the container’s eth0 to tsbox0: RTM_NEWLINK: Cannot assign requested address \(EADDRNOTAVAIL\)/,
    ],
    [
      'an MTU that is too small',
      { mtu: 60 },
      'connect the container’s eth0 to tsbox0: RTM_NEWLINK: Invalid argument (EINVAL)',
    ],
    [
      'a gateway that is nowhere',
      { gateways: ['192.0.2.1'] },
      'set up eth0 in the container: RTM_NEWROUTE: Network is unreachable (ENETUNREACH): Nexthop has invalid gateway',
    ],
    ['a name that is none', { interface: 'a/b' }, '"a/b" is no name of an interface: 1 to 15 characters'],
    ['an address that is none', { addresses: ['10.0.0.300/8'] }, /^10\.0\.0\.300\/8 is not a subnet/],
  ])('%s: one clear line with the kernel’s words, and nothing left', async (_, wrong, message) => {
    const one = await make();
    expect(() => attachInterfaces(one.fd, [nth(2, wrong)])).toThrow(message);
    expect(one.ip('link').map(({ ifname }) => ifname)).toEqual(['lo']);
    expect(links()).toEqual(['tsbox0']);
  });

  test('what fails for the second network takes the first one along, but not what was there before', async () => {
    const one = await make();
    attachInterfaces(one.fd, [nth(2)]);
    const before = one.ip('address', 'show', 'eth0');
    expect(() => attachInterfaces(one.fd, [nth(3, { interface: 'eth1' }), nth(4)])).toThrow(
      'connect the container’s eth0 to tsbox0: RTM_NEWLINK: File exists (EEXIST)',
    );
    expect(one.ip('link').map(({ ifname }) => ifname)).toEqual(['lo', 'eth0']);
    expect(one.ip('address', 'show', 'eth0')[0].addr_info).toMatchObject(
      before[0].addr_info.map(({ local }: { local: string }) => ({ local })),
    );
    expect(ip('link', 'show', 'type', 'veth')).toHaveLength(1);
  });

  describe('macvlan and ipvlan', () => {
    // A link of the host's, with somebody at its other end.
    beforeEach(async () => {
      const router = await make();
      change('link', 'add', 'uplink0', 'type', 'veth', 'peer', 'eth0', 'netns', String(router.holder.pid));
      change('link', 'set', 'uplink0', 'up');
      router.run('ip', 'link', 'set', 'eth0', 'up');
      router.run('ip', 'address', 'add', '192.0.2.1/24', 'dev', 'eth0');
    });
    const shared = (n: number, more: Partial<Attachment>) =>
      nth(n, { parent: 'uplink0', addresses: [`192.0.2.${n}/24`], gateways: ['192.0.2.1'], ...more });

    test.each([undefined, 'bridge', 'vepa', 'private', 'passthru'])('macvlan, mode %s', async (mode) => {
      const one = await make();
      attachInterfaces(one.fd, [shared(2, { driver: 'macvlan', ...(mode && { mode }) })]);
      expect(one.ip('link', 'show', 'eth0')).toMatchObject([
        {
          // Passing everything through, it is its parent.
          address: mode === 'passthru' ? ip('link', 'show', 'uplink0')[0].address : '02:42:0a:57:00:02',
          mtu: 1400,
          linkinfo: { info_kind: 'macvlan', info_data: { mode: mode ?? 'bridge' } },
        },
      ]);
      expect(one.run('busybox', 'ping', '-c', '1', '-W', '5', '192.0.2.1')).toContain('1 packets received');
      expect(links().sort()).toEqual(['tsbox0', 'uplink0']);
    });

    test('macvlan: containers reach each other', async () => {
      const [one, two] = [await make(), await make()];
      attachInterfaces(one.fd, [shared(2, { driver: 'macvlan' })]);
      attachInterfaces(two.fd, [shared(3, { driver: 'macvlan' })]);
      expect(one.run('busybox', 'ping', '-c', '1', '-W', '5', '192.0.2.3')).toContain('1 packets received');
    });

    test.each([undefined, 'l2', 'l3', 'l3s'])(
      'ipvlan, mode %s, or the line that says that there is none',
      async (mode) => {
        const one = await make();
        const attach = () =>
          attachInterfaces(one.fd, [shared(2, { driver: 'ipvlan', ...(mode && { mode }) })]);
        if (!hasIpvlan()) {
          expect(attach).toThrow(
            expect.objectContaining({
              code: 'NO_IPVLAN',
              message:
                'this kernel has no links of the kind `ipvlan`: connect the container’s eth0 to uplink0: RTM_NEWLINK: Operation not supported (EOPNOTSUPP): Unknown device type',
              advice: 'load the module (modprobe ipvlan), or take a kernel with CONFIG_IPVLAN',
            }),
          );
          expect(one.ip('link').map(({ ifname }) => ifname)).toEqual(['lo']);
          return;
        }
        attach();
        expect(one.ip('link', 'show', 'eth0')).toMatchObject([
          { linkinfo: { info_kind: 'ipvlan', info_data: { mode: mode ?? 'l2' } } },
        ]);
        const gateway = mode?.startsWith('l3') ? undefined : '192.0.2.1';
        expect(one.ip('route', 'show', 'default')[0].gateway).toBe(gateway);
      },
    );

    test.each(['macvlan', 'ipvlan'] as const)('a mode that %s has not', async (driver) => {
      const one = await make();
      expect(() => attachInterfaces(one.fd, [shared(2, { driver, mode: 'turbo' })])).toThrow(
        expect.objectContaining({ code: 'BAD_MODE' }),
      );
    });

    test('an address that nobody can have there leaves no interface in a container that runs', async () => {
      const one = await make();
      attachInterfaces(one.fd, [nth(2)]);
      const wrong = shared(2, {
        driver: 'macvlan',
        interface: 'eth1',
        mac: undefined,
        gateways: ['198.51.100.1'],
      });
      expect(() => attachInterfaces(one.fd, [wrong])).toThrow('Nexthop has invalid gateway');
      expect(one.ip('link').map(({ ifname }) => ifname)).toEqual(['lo', 'eth0']);
    });
  });

  test('the end of a namespace takes the host’s end along', async () => {
    const one = await Namespace.make();
    attachInterfaces(one.fd, [nth(2)]);
    expect(links()).toHaveLength(2);
    await one.end();
    await eventually(() => links().length === 1, 'the host’s end gone');
    expect(links()).toEqual(['tsbox0']);
  });
});

function hasIpvlan(): boolean {
  try {
    change('link', 'add', 'try0', 'link', 'uplink0', 'type', 'ipvlan');
  } catch (error) {
    expect(String(error)).toContain('Unknown device type');
    return false;
  }
  change('link', 'delete', 'try0');
  return true;
}
