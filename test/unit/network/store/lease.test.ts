import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';
import {
  createNetwork,
  lease,
  leasedAddresses,
  release,
  removeNetwork,
  staleLeases,
} from '../../../../src/network/store/index.ts';
import { containerId, hostWith, useStore } from './support.ts';

const store = useStore();
const make = (options: Omit<Parameters<typeof createNetwork>[0], 'name'> = {}) =>
  createNetwork({ name: 'web', ...options }, hostWith());
const refused = (code: string, message: string) => expect.objectContaining({ code, message });

describe('lease', () => {
  test('an address, a gateway and what belongs to it', () => {
    const web = make({ subnets: ['10.5.0.0/24', 'fd00:5::/64'] });
    expect(lease(web, containerId(1), { aliases: ['db'] })).toEqual({
      network: 'web',
      networkId: web.id,
      driver: 'bridge',
      addresses: ['10.5.0.2/24', 'fd00:5::2/64'],
      gateways: ['10.5.0.1', 'fd00:5::1'],
      mac: '02:42:0a:05:00:02',
      aliases: ['db'],
    });
    expect(readlinkSync(join(store.root(), 'networks/web/addresses/10.5.0.2'))).toBe(containerId(1));
    expect(readlinkSync(join(store.root(), 'networks/web/addresses/fd00:5::2'))).toBe(containerId(1));
  });

  test('no way out of an internal network', () => {
    expect(lease(make({ internal: true }), containerId(1)).gateways).toEqual([]);
  });

  test('each has its own, and none is given again at once', () => {
    const web = make({ subnets: ['10.5.0.0/29'] });
    const take = (n: number) => lease(web, containerId(n)).addresses[0];
    expect([take(1), take(2)]).toEqual(['10.5.0.2/29', '10.5.0.3/29']);
    release('web', containerId(1));
    expect([take(3), take(4), take(5)]).toEqual(['10.5.0.4/29', '10.5.0.5/29', '10.5.0.6/29']);
    expect(take(6)).toBe('10.5.0.2/29');
    expect(() => take(7)).toThrow(refused('SUBNET_FULL', 'network web: no address is left in 10.5.0.0/29'));
    expect(readdirSync(join(store.root(), 'networks/web/addresses'))).toHaveLength(5);
  });

  test('a large subnet with few left', () => {
    const web = make({ subnets: ['10.5.0.0/24'] });
    const all = Array.from({ length: 253 }, (_, n) => lease(web, containerId(n)).addresses[0]);
    expect(new Set(all).size).toBe(253);
    expect(all).not.toContain('10.5.0.0/24');
    expect(all).not.toContain('10.5.0.1/24');
    expect(all).not.toContain('10.5.0.255/24');
    release('web', containerId(200));
    expect(lease(web, containerId(999)).addresses).toEqual(['10.5.0.202/24']);
    expect(() => lease(web, containerId(1000))).toThrow(
      refused('SUBNET_FULL', 'network web: no address is left in 10.5.0.0/24'),
    );
  });

  test('from the range only, without the gateway in it', () => {
    const web = make({ subnets: ['10.5.0.0/16'], ipRanges: ['10.5.7.0/30'], gateways: ['10.5.7.1'] });
    const all = [1, 2, 3].map((n) => lease(web, containerId(n)).addresses[0]);
    // In the middle of the subnet the first and the last of the range are like any other.
    expect(all).toEqual(['10.5.7.0/16', '10.5.7.2/16', '10.5.7.3/16']);
    expect(() => lease(web, containerId(4))).toThrow(
      refused('SUBNET_FULL', 'network web: no address is left in 10.5.7.0/30, the range of 10.5.0.0/16'),
    );
    expect(lease(web, containerId(5), { ip: '10.5.200.1' }).addresses).toEqual(['10.5.200.1/16']);
  });

  test('never an auxiliary one, also where it is wished for', () => {
    const web = make({
      subnets: ['10.5.0.0/29', 'fd00:5::/64'],
      auxiliaryAddresses: { one: '10.5.0.2', two: '10.5.0.4', six: 'fd00:5::3' },
    });
    const all = [1, 2, 3].map((n) => lease(web, containerId(n)).addresses);
    expect(all).toEqual([
      ['10.5.0.3/29', 'fd00:5::2/64'],
      ['10.5.0.5/29', 'fd00:5::4/64'],
      ['10.5.0.6/29', 'fd00:5::5/64'],
    ]);
    expect(() => lease(web, containerId(4))).toThrow(
      refused('SUBNET_FULL', 'network web: no address is left in 10.5.0.0/29'),
    );
    for (const asked of [{ ip: '10.5.0.4' }, { ip6: 'FD00:5:0::3' }]) {
      const [flag, address] = Object.entries(asked)[0] as [string, string];
      const message = `--${flag} ${address}: is an auxiliary address of network web, kept for somebody else`;
      expect(() => lease(web, containerId(4), asked)).toThrow(refused('BAD_ADDRESS', message));
    }
    expect(leasedAddresses('web').filter(({ id }) => id === containerId(4))).toEqual([]);
  });

  test('one that is wished for', () => {
    const web = make({ subnets: ['10.5.0.0/24', 'fd00:5::/64'] });
    const asked = { ip: '10.5.0.77', ip6: 'FD00:5:0::77', mac: '02-00-00-00-00-AA' };
    expect(lease(web, containerId(1), asked)).toMatchObject({
      addresses: ['10.5.0.77/24', 'fd00:5::77/64'],
      mac: '02:00:00:00:00:aa',
    });
    expect(() => lease(web, containerId(2), { ip6: 'fd00:5::77' }, { nameOf: () => 'db' })).toThrow(
      refused('ADDRESS_IN_USE', 'network web: container db has the address fd00:5::77 already'),
    );
    // What it had taken before it was refused is free.
    expect(leasedAddresses('web').map(({ id }) => id)).toEqual([containerId(1), containerId(1)]);
    // Again, after a start that somebody killed.
    expect(lease(web, containerId(1), asked).addresses).toEqual(['10.5.0.77/24', 'fd00:5::77/64']);
  });

  test.each([
    [{ ip: '10.6.0.1' }, '--ip 10.6.0.1: network web is 10.5.0.0/24'],
    [{ ip: '10.5.0.1' }, '--ip 10.5.0.1: is the gateway of network web'],
    [{ ip: '10.5.0.0' }, '--ip 10.5.0.0: is no address that a host can have in 10.5.0.0/24'],
    [{ ip: '10.5.0.255' }, '--ip 10.5.0.255: is no address that a host can have in 10.5.0.0/24'],
    [{ ip: 'fd00::1' }, '--ip "fd00::1": not an address of IPv4'],
    [{ ip: '10.5.0.07' }, '--ip "10.5.0.07": not an address of IPv4'],
    [{ ip6: 'fd00::1' }, '--ip6 fd00::1: network web has no IPv6'],
    [{ ip6: '10.5.0.7' }, '--ip6 "10.5.0.7": not an address of IPv6'],
    [
      { mac: '01:00:5e:00:00:01' },
      '--mac-address "01:00:5e:00:00:01": not an address that an interface can have, such as 02:42:ac:11:00:02',
    ],
  ])('%j is refused', (asked, message) => {
    const web = make({ subnets: ['10.5.0.0/24'] });
    expect(() => lease(web, containerId(1), asked)).toThrow(refused('BAD_ADDRESS', message));
    expect(leasedAddresses('web')).toEqual([]);
  });

  test('those of containers that are gone are given to others, where there are no other ones', () => {
    const web = make({ subnets: ['10.5.0.0/30'] });
    lease(web, containerId(1));
    const isThere = (id: string) => id !== containerId(1);
    expect(() => lease(web, containerId(2), {}, { isThere: () => true })).toThrow(
      refused('SUBNET_FULL', 'network web: no address is left in 10.5.0.0/30'),
    );
    expect(lease(web, containerId(2), {}, { isThere }).addresses).toEqual(['10.5.0.2/30']);
    expect(lease(web, containerId(3), { ip: '10.5.0.2' }, { isThere: () => false }).addresses).toEqual([
      '10.5.0.2/30',
    ]);
  });

  test('staleLeases frees what nobody owns, and nothing else', () => {
    const web = make({ subnets: ['10.5.0.0/24', 'fd00:5::/64'] });
    for (const n of [1, 2, 3]) lease(web, containerId(n));
    staleLeases((id) => id === containerId(2));
    expect(leasedAddresses('web').sort((a, b) => (a.address < b.address ? -1 : 1))).toEqual([
      { address: '10.5.0.3', id: containerId(2) },
      { address: 'fd00:5::3', id: containerId(2) },
    ]);
  });

  test('release frees only what is its own', () => {
    const web = make({ subnets: ['10.5.0.0/24'] });
    lease(web, containerId(1));
    release('web', containerId(2), ['10.5.0.2/24']);
    expect(leasedAddresses('web')).toHaveLength(1);
    release('web', containerId(1), ['10.5.0.2/24', '../network.json']);
    expect(leasedAddresses('web')).toEqual([]);
    expect(readdirSync(join(store.root(), 'networks/web')).sort()).toEqual([
      'addresses',
      'lock',
      'network.json',
    ]);
    release('nowhere', containerId(1));
  });

  test('whatever is in the file of what was given last, no address is given twice', () => {
    const web = make({ subnets: ['10.5.0.0/24'] });
    const taken = ['', '-5', '99999999999999999999', '1e9', '254', '1', '\0'.repeat(80), '{}'.repeat(99)].map(
      (text, n) => {
        writeFileSync(join(store.root(), 'networks/web/lock'), text);
        return lease(web, containerId(n)).addresses[0];
      },
    );
    expect(new Set(taken).size).toBe(taken.length);
    for (const address of taken) expect(address).toMatch(/^10\.5\.0\.\d+\/24$/);
  });

  test('in a network that was removed, or made anew', () => {
    const web = make({ subnets: ['10.5.0.0/24'] });
    removeNetwork('web');
    expect(() => lease(web, containerId(1))).toThrow(refused('NO_NETWORK', 'no such network: web'));
    release('web', containerId(1));
    rmSync(join(store.root(), 'networks'), { recursive: true });
    staleLeases(() => false);
  });
});

describe('several processes', () => {
  test('at once never get the same, also where some are killed; what they held is free again', {
    timeout: 60_000,
  }, async () => {
    make({ subnets: ['10.5.0.0/23'] });
    const file = join(store.root(), 'taker.cjs');
    await build({
      stdin: { contents: TAKER, resolveDir: join(import.meta.dirname, '../../../..'), loader: 'ts' },
      bundle: true,
      platform: 'node',
      format: 'cjs',
      outfile: file,
      external: ['koffi'],
      // Where the compiled files of native/ are found from.
      define: { 'import.meta.dirname': JSON.stringify(import.meta.dirname) },
      logLevel: 'error',
    });
    const takers = ['a', 'b', 'c', 'd'].map((name) => {
      const process = spawn(globalThis.process.execPath, [file, name], {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { ...globalThis.process.env, NODE_PATH: join(import.meta.dirname, '../../../../node_modules') },
      });
      let text = '';
      process.stdout.on('data', (chunk) => {
        text += chunk;
        // Somewhere in the middle of it.
        if (name === 'a' && text.length > 200) process.kill('SIGKILL');
      });
      return once(process, 'close').then(() => text.split('\n').slice(0, -1));
    });
    const taken = (await Promise.all(takers)).flat();
    expect(new Set(taken).size).toBe(taken.length);
    const links = leasedAddresses('web');
    // 512, without the network's own, the gateway's and that for all. One or more may have been taken by who could not say it any more.
    expect(links).toHaveLength(509);
    expect(taken.length).toBeLessThanOrEqual(509);
    expect(links.map(({ address }) => `${address}/23`)).toEqual(expect.arrayContaining(taken));
    const ofKilled = links.filter(({ id }) => id.replace(/^0+/, '').startsWith('a')).length;
    expect(ofKilled).toBeGreaterThan(0);
    staleLeases((id) => !id.replace(/^0+/, '').startsWith('a'));
    expect(leasedAddresses('web')).toHaveLength(509 - ofKilled);
  });
});

/** Takes addresses as long as there are some, and prints each. The ids of one taker begin with its letter. */
const TAKER = `
import { writeSync } from 'node:fs';
import { lease, findNetwork } from './src/network/store/index.ts';
const web = findNetwork('web');
for (let n = 0; ; n++) {
  const id = (process.argv[2] + n.toString(16).padStart(4, '0')).padStart(64, '0');
  try {
    writeSync(1, lease(web, id).addresses[0] + '\\n');
  } catch (error) {
    if (error.code !== 'SUBNET_FULL') throw error;
    break;
  }
}`;
