import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { type Bridge, ensureBridge, removeBridge } from '../../../src/network/link/index.ts';
import { change, describeLinks, ip, links } from './namespaces.ts';

const BRIDGE: Bridge = {
  name: 'tsbox0',
  alias: 'tsbox:0123',
  mtu: 1400,
  addresses: ['10.87.0.1/16', 'fd00:87::1/64'],
};

describeLinks('bridges', () => {
  afterEach(() => {
    for (const name of links()) if (links().includes(name)) change('link', 'delete', name);
  });

  test('one is made, and then is there', () => {
    expect(ensureBridge(BRIDGE)).toBe('made');
    const before = ip('address', 'show', 'tsbox0')[0];
    expect(before).toMatchObject({
      flags: expect.arrayContaining(['UP']),
      mtu: 1400,
      ifalias: 'tsbox:0123',
      linkinfo: { info_kind: 'bridge', info_data: { stp_state: 0 } },
    });
    const addresses = before.addr_info.map(({ local, prefixlen }: { local: string; prefixlen: number }) => [
      local,
      prefixlen,
    ]);
    expect(addresses).toEqual([
      ['10.87.0.1', 16],
      ['fd00:87::1', 64],
    ]);
    expect(ensureBridge(BRIDGE)).toBe('there');
    expect(withoutTimers(ip('address', 'show', 'tsbox0'))).toEqual(withoutTimers([before]));
  });

  test('its Ethernet address and its MTU stay, whatever its ports are', () => {
    ensureBridge(BRIDGE);
    const { address } = ip('link', 'show', 'tsbox0')[0];
    change(
      'link',
      'add',
      'low',
      'address',
      '02:00:00:00:00:01',
      'mtu',
      '1400',
      'master',
      'tsbox0',
      'type',
      'veth',
    );
    expect(ip('link', 'show', 'tsbox0')[0]).toMatchObject({ address, mtu: 1400 });
    change('link', 'delete', 'low');
    expect(ip('link', 'show', 'tsbox0')[0]).toMatchObject({ address, mtu: 1400 });
  });

  test('one that somebody has put down is put up again, with its addresses', () => {
    ensureBridge(BRIDGE);
    change('link', 'set', 'tsbox0', 'down');
    expect(ip('-6', 'address', 'show', 'tsbox0')).not.toMatchObject([
      { addr_info: [{ local: 'fd00:87::1' }] },
    ]);
    expect(ensureBridge(BRIDGE)).toBe('there');
    const link = ip('address', 'show', 'tsbox0')[0];
    expect(link.flags).toContain('UP');
    expect(link.addr_info.map(({ local }: { local: string }) => local)).toEqual(
      expect.arrayContaining(['10.87.0.1', 'fd00:87::1']),
    );
  });

  test.each([
    [
      'a bridge',
      ['type', 'bridge'],
      undefined,
      'there is a bridge tsbox0 already, which this network has not made',
    ],
    [
      'a bridge of another network',
      ['type', 'bridge'],
      'tsbox:99',
      /^there is a bridge tsbox0 .* made, of "tsbox:99"$/,
    ],
    ['a link of another kind', ['type', 'veth'], 'tsbox:0123', /^there is a veth tsbox0 already/],
  ])('%s that is not ours is refused, and stays as it is', (_, kind, alias, message) => {
    change('link', 'add', 'tsbox0', ...kind);
    if (alias !== undefined) change('link', 'set', 'tsbox0', 'alias', alias);
    const before = ip('address', 'show', 'tsbox0');
    expect(() => ensureBridge(BRIDGE)).toThrow(expect.objectContaining({ code: 'FOREIGN_BRIDGE' }));
    expect(() => ensureBridge(BRIDGE)).toThrow(message);
    removeBridge('tsbox0', 'tsbox:0123');
    expect(withoutTimers(ip('address', 'show', 'tsbox0'))).toEqual(withoutTimers(before));
  });

  test('IPv6 that is off is one clear line, and leaves nothing', () => {
    const setting = '/proc/sys/net/ipv6/conf/default/disable_ipv6';
    writeFileSync(setting, '1');
    try {
      expect(() => ensureBridge(BRIDGE)).toThrow(
        expect.objectContaining({
          code: 'NO_IPV6',
          // Linux 6.18 begins its own words with "ipv6: ".
          message: expect.stringMatching(
            /^IPv6 is off on this machine: set up the bridge tsbox0: RTM_NEWADDR: Permission denied \(EACCES\): .*IPv6 is disabled on this device$/,
          ),
        }),
      );
      expect(links()).toEqual([]);
      expect(ensureBridge({ ...BRIDGE, addresses: ['10.87.0.1/16'] })).toBe('made');
    } finally {
      writeFileSync(setting, '0');
    }
  });

  test.each([
    [{ name: 'sixteen-letters1' }, 'BAD_INTERFACE'],
    [{ name: 'br%d' }, 'BAD_INTERFACE'],
    [{ addresses: ['10.87.0.1'] }, 'BAD_SUBNET'],
    [{ addresses: ['10.87.0.1/16', '10.88.0.256/16'] }, 'BAD_SUBNET'],
    [{ mtu: 7 }, 'EINVAL'],
    [{ alias: 'a'.repeat(300) }, 'ERANGE'],
  ])('%j is refused, and leaves nothing', (wrong, code) => {
    expect(() => ensureBridge({ ...BRIDGE, ...wrong })).toThrow(expect.objectContaining({ code }));
    expect(links()).toEqual([]);
  });

  test('127.0.0.1 may be routed to it where that is asked for, and to no other', () => {
    ensureBridge({ ...BRIDGE, routeLocalnet: true });
    ensureBridge({ ...BRIDGE, name: 'other0', addresses: ['10.88.0.1/16'] });
    const of = (name: string) =>
      readFileSync(`/proc/sys/net/ipv4/conf/${name}/route_localnet`, 'utf8').trim();
    expect([of('tsbox0'), of('other0'), of('all'), of('default')]).toEqual(['1', '0', '0', '0']);
  });

  test('ours is removed; one that is gone is none to remove', () => {
    ensureBridge(BRIDGE);
    removeBridge('tsbox0', 'tsbox:0123');
    expect(links()).toEqual([]);
    removeBridge('tsbox0', 'tsbox:0123');
  });

  test('twenty are made with their marks, and none is lost', () => {
    const names = Array.from({ length: 20 }, (_, at) => `br-${at}`);
    for (const [at, name] of names.entries())
      ensureBridge({ ...BRIDGE, name, alias: `tsbox:${at}`, addresses: [`10.88.${at}.1/24`] });
    expect(links().sort()).toEqual([...names].sort());
    expect(execFileSync('ip', ['-4', '-o', 'address'], { encoding: 'utf8' }).split('\n')).toHaveLength(22);
  });
});

function withoutTimers(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (key, part) => (key.endsWith('_timer') ? undefined : part)));
}
