import { existsSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { closeDescriptor } from '../../../src/kernel/index.ts';
import {
  ensureTable,
  parsePublish,
  publish,
  removeNetworkRules,
  reservePorts,
  unpublish,
} from '../../../src/network/nat/index.ts';
import { ask, ip, Lab, type Machine, nft } from './support/lab.ts';
import { network } from './support/nat-network.ts';

const isRoot = process.geteuid?.() === 0;

/** Real packets: the host, containers on three bridges, and a machine outside. Everything in network namespaces of this test. */
describe.skipIf(!isRoot)(
  isRoot ? 'traffic to published ports' : 'traffic to published ports (skipped: needs root)',
  () => {
    const lab = new Lab();
    let web: Machine;
    let neighbour: Machine;
    let elsewhere: Machine;
    let spare: Machine;
    let inner: Machine;
    let outside: Machine;
    const descriptors: number[] = [];
    const said: string[] = [];

    beforeAll(async () => {
      lab.bridge('tsbox0', ['10.87.0.1/16', 'fd87::1/64']);
      lab.bridge('br-two', ['10.88.0.1/24']);
      lab.bridge('br-inner', ['10.89.0.1/24']);
      web = await lab.container('tsbox0', ['10.87.0.2/16', 'fd87::2/64'], ['10.87.0.1', 'fd87::1']);
      neighbour = await lab.container('tsbox0', ['10.87.0.3/16', 'fd87::3/64'], ['10.87.0.1', 'fd87::1']);
      spare = await lab.container('tsbox0', ['10.87.0.4/16'], ['10.87.0.1']);
      elsewhere = await lab.container('br-two', ['10.88.0.2/24'], ['10.88.0.1']);
      inner = await lab.container('br-inner', ['10.89.0.2/24'], ['10.89.0.1']);
      outside = await lab.outside();
      ip('route add default via 192.0.2.2');
      // What a neighbour on the same cable can do who wants to get at containers directly.
      outside.ip('route add 10.0.0.0/8 via 192.0.2.1');
      outside.ip('route add fd87::/64 via 2001:db8::1');
      ensureTable(
        [network('tsbox0', { ipv6: true }), network('br-two'), network('br-inner', { internal: true })],
        {
          say: (line) => said.push(line),
        },
      );
      publishFor('web', web, ['8080:80', '5353:53/udp', '127.0.0.1:8081:80', '192.0.2.1:8082:80']);
      await Promise.all([
        web.serve('tcp', 80),
        web.serve('udp', 53),
        spare.serve('udp', 53),
        neighbour.serve('tcp', 80),
        elsewhere.serve('tcp', 80),
        inner.serve('tcp', 80),
        outside.serve('tcp', 80),
      ]);
    });

    afterAll(async () => {
      descriptors.forEach(closeDescriptor);
      await lab.close();
    });

    function publishFor(id: string, machine: Machine, words: string[]): void {
      const reserved = reservePorts(words.flatMap(parsePublish));
      descriptors.push(...reserved.descriptors);
      publish(idOf(id), reserved.ports, machine.addresses, 'tsbox0');
    }

    describe('HTTP', () => {
      test('from the host by 127.0.0.1, seen as the bridge, since nobody can answer to 127.0.0.1', () => {
        expect(ask('tcp', '127.0.0.1', 8080)).toBe('10.87.0.1');
        expect(ask('tcp', '127.0.0.1', 8081)).toBe('10.87.0.1');
      });

      test('from the host by its own addresses, seen as they are', () => {
        expect(ask('tcp', '192.0.2.1', 8080)).toBe('192.0.2.1');
        expect(ask('tcp', '192.0.2.1', 8082)).toBe('192.0.2.1');
        expect(ask('tcp', '10.87.0.1', 8080)).toBe('10.87.0.1');
      });

      test('from outside, seen as it is', () => {
        expect(outside.ask('tcp', '192.0.2.1', 8080)).toBe('192.0.2.2');
        expect(outside.ask('tcp', '192.0.2.1', 8082)).toBe('192.0.2.2');
      });

      test('from a container of another bridge through the host, seen as it is', () => {
        expect(elsewhere.ask('tcp', '192.0.2.1', 8080)).toBe('10.88.0.2');
        expect(elsewhere.ask('tcp', '10.88.0.1', 8080)).toBe('10.88.0.2');
      });

      test('of a range, each port reaches its own', async () => {
        publishFor('range', spare, ['7000-7002:80-82', '7100-7102:7100-7102', '127.0.0.1:7200-7201:81-82']);
        for (const [port, inner] of [
          [7000, 80],
          [7002, 82],
          [7101, 7101],
        ] as const) {
          const server = await spare.serve('tcp', inner, '::', `${inner} `);
          expect(outside.ask('tcp', '192.0.2.1', port)).toBe(`${inner} 192.0.2.2`);
          if (inner === 82) expect(ask('tcp', '127.0.0.1', 7201)).toBe('82 10.87.0.1');
          server.kill();
        }
        unpublish([idOf('range')]);
      });

      test('a thousand connections, two hundred at a time', async () => {
        const seen = new Map<string, number>();
        const one = () =>
          new Promise<string>((resolve) => {
            get({ host: '192.0.2.1', port: 8080, agent: false }, (response) => {
              response.setEncoding('utf8').once('data', resolve);
            }).on('error', (error) => resolve(error.message));
          });
        for (let round = 0; round < 5; round++) {
          const answers = await Promise.all(Array.from({ length: 200 }, one));
          for (const answer of answers) seen.set(answer, (seen.get(answer) ?? 0) + 1);
        }
        expect(Object.fromEntries(seen)).toEqual({ '192.0.2.1': 1000 });
      });
    });

    describe('UDP', () => {
      test('from the host, from outside, from another bridge', () => {
        expect(ask('udp', '127.0.0.1', 5353)).toBe('10.87.0.1');
        expect(outside.ask('udp', '192.0.2.1', 5353)).toBe('192.0.2.2');
        expect(elsewhere.ask('udp', '192.0.2.1', 5353)).toBe('10.88.0.2');
      });

      test('a client that goes on sending from one port reaches the container that has the port now', async () => {
        publishFor('first', spare, ['6000:53/udp']);
        expect(outside.ask('udp', '192.0.2.1', 6000, 7000)).toBe('192.0.2.2');
        unpublish([idOf('first')]);
        const later = await neighbour.serve('udp', 53, '::', 'later ');
        // The port is still held: by the same socket.
        publish(
          idOf('second'),
          [{ hostAddress: '0.0.0.0', hostPort: 6000, containerPort: 53, protocol: 'udp' }],
          ['10.87.0.3'],
          'tsbox0',
        );
        expect(outside.ask('udp', '192.0.2.1', 6000, 7000)).toBe('later 192.0.2.2');
        unpublish([idOf('second')]);
        later.kill();
      });

      test('a client that was there before the port was published reaches the container, too', () => {
        expect(outside.ask('udp', '192.0.2.1', 6001, 7001)).toBe('error ECONNREFUSED');
        publishFor('third', spare, ['6001:53/udp']);
        expect(outside.ask('udp', '192.0.2.1', 6001, 7001)).toBe('192.0.2.2');
        unpublish([idOf('third')]);
      });
    });

    describe('IPv6', () => {
      test('from the host by its own addresses, and from outside, seen as they are', () => {
        expect(ask('tcp', '2001:db8::1', 8080)).toBe('2001:db8::1');
        expect(ask('tcp', 'fd87::1', 8080)).toBe('fd87::1');
        expect(outside.ask('tcp', '2001:db8::1', 8080)).toBe('2001:db8::2');
        expect(outside.ask('udp', '2001:db8::1', 5353)).toBe('2001:db8::2');
      });

      test('[::1] is refused at once, so that programs which try both go on to 127.0.0.1', () => {
        expect(ask('tcp', '::1', 8080)).toBe('error ECONNREFUSED');
        expect(ask('tcp', 'localhost', 8080)).toBe('10.87.0.1');
      });
    });

    // The bridge hands its packets to the rules itself, or does not (br_netfilter): Docker loads that module, others do not.
    describe.each([
      { on: true, seen: ['10.87.0.3', 'fd87::3'] as const, why: 'as it is' },
      {
        on: false,
        seen: ['10.87.0.1', 'fd87::1'] as const,
        why: 'as the bridge: else its answer would go past the host',
      },
    ])('through the host, with br_netfilter $on', ({ on, seen: [four, six], why }) => {
      const settings = ['iptables', 'ip6tables'].map((name) => `/proc/sys/net/bridge/bridge-nf-call-${name}`);
      const isThere = settings.every(existsSync);

      beforeAll(() => {
        if (isThere) for (const path of settings) writeFileSync(path, on ? '1' : '0');
      });

      test.skipIf(on && !isThere)(`a neighbour on the same bridge is seen ${why}`, () => {
        expect(neighbour.ask('tcp', '192.0.2.1', 8080)).toBe(four);
        expect(neighbour.ask('tcp', '10.87.0.1', 8080)).toBe(four);
        expect(neighbour.ask('udp', '192.0.2.1', 5353)).toBe(four);
        expect(neighbour.ask('tcp', '2001:db8::1', 8080)).toBe(six);
      });

      test.skipIf(on && !isThere)('a container reaches itself', () => {
        expect(web.ask('tcp', '192.0.2.1', 8080)).toBe('10.87.0.1');
        expect(web.ask('tcp', '10.87.0.1', 8080)).toBe('10.87.0.1');
        expect(web.ask('udp', '192.0.2.1', 5353)).toBe('10.87.0.1');
        expect(web.ask('tcp', '2001:db8::1', 8080)).toBe('fd87::1');
      });
    });

    describe('what does not come through', () => {
      test('from outside: what is published at 127.0.0.1 only, and a container itself', () => {
        expect(outside.ask('tcp', '192.0.2.1', 8081)).toBe('error ECONNREFUSED');
        expect(outside.waitsInVain('10.87.0.2', 80)).toBe(true);
        expect(outside.waitsInVain('fd87::2', 80)).toBe(true);
        expect(ask('tcp', '10.87.0.2', 80)).toBe('10.87.0.1');
      });

      test('from one bridge to another; within one it does', () => {
        expect(elsewhere.waitsInVain('10.87.0.2', 80)).toBe(true);
        expect(web.waitsInVain('10.88.0.2', 80)).toBe(true);
        expect(neighbour.ask('tcp', '10.87.0.2', 80)).toBe('10.87.0.3');
      });

      test('a routed network is reached from outside without a published port; in the family that it is for, and not from other bridges', () => {
        removeNetworkRules(['br-two']);
        ensureTable([
          network('br-two', { masquerade: { 4: false, 6: false }, routed: { 4: true, 6: false } }),
        ]);
        expect(outside.ask('tcp', '10.88.0.2', 80)).toBe('192.0.2.2');
        expect(elsewhere.ask('tcp', '192.0.2.2', 80)).toBe('10.88.0.2');
        expect(web.waitsInVain('10.88.0.2', 80)).toBe(true);
        removeNetworkRules(['br-two']);
        ensureTable([network('br-two', { routed: { 4: false, 6: true } })]);
        expect(outside.waitsInVain('10.88.0.2', 80)).toBe(true);
      });

      test('containers of a network without communication reach the host and the outside, not each other', async () => {
        lab.bridge('br-apart', ['10.90.0.1/24']);
        const [one, other] = [
          await lab.container('br-apart', ['10.90.0.2/24'], ['10.90.0.1'], { isolated: true }),
          await lab.container('br-apart', ['10.90.0.3/24'], ['10.90.0.1'], { isolated: true }),
        ];
        ensureTable([network('br-apart', { communication: false })]);
        await other.serve('tcp', 80);
        expect(one.waitsInVain('10.90.0.3', 80)).toBe(true);
        // Nor by way of the host, which knows both.
        one.ip('route add 10.90.0.3 via 10.90.0.1');
        expect(one.waitsInVain('10.90.0.3', 80)).toBe(true);
        expect(ask('tcp', '10.90.0.3', 80)).toBe('10.90.0.1');
        expect(one.ask('tcp', '192.0.2.2', 80)).toBe('192.0.2.1');
        removeNetworkRules(['br-apart']);
      });

      test('an internal network: neither out nor in, but from the host', () => {
        expect(inner.waitsInVain('192.0.2.2', 80)).toBe(true);
        expect(inner.waitsInVain('192.0.2.1', 8080)).toBe(true);
        expect(web.waitsInVain('10.89.0.2', 80)).toBe(true);
        expect(outside.waitsInVain('10.89.0.2', 80)).toBe(true);
        expect(ask('tcp', '10.89.0.2', 80)).toBe('10.89.0.1');
      });

      test('CVE-2020-8558: a container does not reach what the host serves on its 127.0.0.1', async () => {
        const server = await lab.host().serve('tcp', 9999, '127.0.0.1', 'secret for ');
        neighbour.run('sh', '-c', 'echo 1 > /proc/sys/net/ipv4/conf/eth0/route_localnet');
        neighbour.ip('address delete 127.0.0.1/8 dev lo');
        neighbour.ip('route add 127.0.0.1 via 10.87.0.1 src 10.87.0.3');
        expect(neighbour.waitsInVain('127.0.0.1', 9999)).toBe(true);
        // And it is the rule that keeps it out.
        nft('flush', 'chain', 'inet', 'tsbox', 'raw');
        expect(neighbour.ask('tcp', '127.0.0.1', 9999)).toBe('secret for 10.87.0.3');
        ensureTable([network('tsbox0', { ipv6: true })]);
        expect(neighbour.waitsInVain('127.0.0.1', 9999)).toBe(true);
        server.kill();
      });
    });

    describe('to the outside', () => {
      test("IPv4 with the host's address", () => {
        expect(web.ask('tcp', '192.0.2.2', 80)).toBe('192.0.2.1');
        expect(elsewhere.ask('tcp', '192.0.2.2', 80)).toBe('192.0.2.1');
      });

      test('IPv6 as it is; with NAT66 with the host’s', () => {
        expect(web.ask('tcp', '2001:db8::2', 80)).toBe('fd87::2');
        nft('add', 'element', 'inet', 'tsbox', 'masquerade6', '{ tsbox0 }');
        expect(web.ask('tcp', '2001:db8::2', 80)).toBe('2001:db8::1');
        nft('delete', 'element', 'inet', 'tsbox', 'masquerade6', '{ tsbox0 }');
      });
    });

    test('the switches of the whole host were said, each once', () => {
      expect(said.filter((line) => line.startsWith('net.ipv6.conf.all.forwarding is 1 now'))).toHaveLength(1);
      ensureTable([network('tsbox0', { ipv6: true })], { say: (line) => said.push(line) });
      expect(said.filter((line) => line.startsWith('net.ipv6.conf.all.forwarding'))).toHaveLength(1);
    });

    test('unpublished: refused at once, and the others go on', () => {
      publishFor('other', neighbour, ['8090:80']);
      expect(outside.ask('tcp', '192.0.2.1', 8090)).toBe('192.0.2.2');
      expect(unpublish([idOf('web')])).toBe(true);
      expect(outside.ask('tcp', '192.0.2.1', 8080)).toBe('error ECONNREFUSED');
      expect(ask('tcp', '127.0.0.1', 8080)).toBe('error ECONNREFUSED');
      expect(outside.ask('tcp', '192.0.2.1', 8090)).toBe('192.0.2.2');
      expect(unpublish([idOf('other')])).toBe(true);
      expect(removeNetworkRules(['tsbox0', 'br-two', 'br-inner'])).toBe(true);
      expect(nft('list', 'ruleset')).toBe('');
    });
  },
);

/** 64 hexadecimal digits. */
function idOf(name: string): string {
  return Buffer.from(name.padEnd(32, '.')).toString('hex');
}
