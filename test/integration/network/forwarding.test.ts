import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { closeDescriptor, fields, syscall } from '../../../src/kernel/index.ts';
import { inNetworkNamespace, openNetworkNamespace } from '../../../src/kernel/netlink/index.ts';
import { ensureTable, publish, removeNetworkRules } from '../../../src/network/nat/index.ts';
import { cli, describeRoot, environment, image, tsbox } from '../support/tsbox.ts';
import { ip, Lab, type Machine, nft, sleep } from './support/lab.ts';

const SYS = '/proc/sys/net';
const read = (path: string) => readFileSync(`${SYS}/${path}`, 'utf8').trim();
const isRoot = process.geteuid?.() === 0;
const network = (settings: { internal?: boolean; ipv6?: boolean } = {}) => ({
  interface: 'tsbox0',
  internal: false,
  ipv6: false,
  masquerade: { 4: true, 6: false },
  communication: true,
  ...settings,
});

describe.skipIf(!isRoot)(
  isRoot ? 'switches of the whole host' : 'switches of the whole host (skipped: needs root)',
  () => {
    const lab = new Lab();
    let outside: Machine;

    beforeAll(async () => {
      writeFileSync(`${SYS}/ipv6/conf/default/accept_ra`, '1');
      lab.bridge('tsbox0', ['10.87.0.1/16', 'fd87::1/64']);
      outside = await lab.outside();
    });

    afterAll(async () => {
      removeNetworkRules(['tsbox0']);
      await lab.close();
    });

    test('net.ipv4.ip_forward: when a network needs it, and said once', () => {
      writeFileSync(`${SYS}/ipv4/ip_forward`, '0');
      const said: string[] = [];
      ensureTable([network({ internal: true, ipv6: true })], { say: (line) => said.push(line) });
      expect([read('ipv4/ip_forward'), read('ipv6/conf/all/forwarding'), said]).toEqual(['0', '0', []]);
      removeNetworkRules(['tsbox0']);
      for (let time = 0; time < 2; time++) ensureTable([network()], { say: (line) => said.push(line) });
      expect(read('ipv4/ip_forward')).toBe('1');
      expect(said).toEqual([
        'net.ipv4.ip_forward is 1 now: the host forwards packets, which containers need to reach the outside',
      ]);
    });

    test('IPv6: with the first port that is published for it; a default route of a router advertisement stays', async () => {
      expect(read('ipv6/conf/all/forwarding')).toBe('0');
      await advertise(outside);
      expect(ip('-6 route show default')).toMatch(/^default .*dev uplink proto ra /);
      const said: string[] = [];
      const say = (line: string) => said.push(line);
      const port = { hostPort: 8080, containerPort: 80, protocol: 'tcp' as const };
      publish('a'.repeat(64), [{ ...port, hostAddress: '0.0.0.0' }], ['10.87.0.2'], 'tsbox0', say);
      publish('b'.repeat(64), [{ ...port, hostPort: 8081, hostAddress: '::' }], ['10.87.0.3'], 'tsbox0', say);
      expect([read('ipv6/conf/all/forwarding'), said]).toEqual(['0', []]);
      publish('c'.repeat(64), [{ ...port, hostPort: 8082, hostAddress: '::' }], ['fd87::2'], 'tsbox0', say);
      expect(read('ipv6/conf/all/forwarding')).toBe('1');
      expect(read('ipv6/conf/uplink/accept_ra')).toBe('2');
      expect(said).toEqual([
        'net.ipv6.conf.all.forwarding is 1 now (and accept_ra 2 on uplink, to keep its own routes): the host forwards packets, which containers need to reach the outside',
      ]);
      expect(ip('-6 route show default')).toMatch(/^default .*dev uplink proto ra /);
      // Without that the kernel would have removed it.
      writeFileSync(`${SYS}/ipv6/conf/all/forwarding`, '0');
      writeFileSync(`${SYS}/ipv6/conf/uplink/accept_ra`, '1');
      ip('-6 route delete default');
      await advertise(outside);
      expect(ip('-6 route show default')).not.toBe('');
      writeFileSync(`${SYS}/ipv6/conf/all/forwarding`, '1');
      expect(ip('-6 route show default')).toBe('');
    });

    test('route_localnet: on the bridge alone, with the first port that 127.0.0.1 reaches', () => {
      const settings = () =>
        ['all', 'default', 'lo', 'uplink', 'tsbox0'].map((name) => read(`ipv4/conf/${name}/route_localnet`));
      writeFileSync(`${SYS}/ipv4/conf/tsbox0/route_localnet`, '0');
      const port = { hostPort: 9090, containerPort: 80, protocol: 'tcp' as const };
      publish('d'.repeat(64), [{ ...port, hostAddress: '192.0.2.1' }], ['10.87.0.4'], 'tsbox0');
      expect(settings()).toEqual(['0', '0', '0', '0', '0']);
      publish('d'.repeat(64), [{ ...port, hostAddress: '127.0.0.1' }], ['10.87.0.4'], 'tsbox0');
      expect(settings()).toEqual(['0', '0', '0', '0', '1']);
    });
  },
);

describeRoot('where /proc/sys cannot be written', () => {
  test('one clear line, and nothing is left', () => {
    nft('flush', 'ruleset');
    writeFileSync(`${SYS}/ipv4/ip_forward`, '0');
    const script = 'mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys && exec "$@"';
    const { status, stdout, stderr } = spawnSync(
      'unshare',
      ['--mount', 'sh', '-c', script, 'sh', cli, 'run', '--rm', '--network', 'bridge', image, 'true'],
      { env: environment(), encoding: 'utf8' },
    );
    expect({ status, stdout }).toEqual({ status: 125, stdout: '' });
    expect(stderr).toMatch(
      /^tsbox: cannot set net\.ipv4\.ip_forward to 1: EROFS: read-only file system, .*\n {2}set it where \/proc\/sys can be written \(`sysctl -w net\.ipv4\.ip_forward=1`\), or use --network none or host\n$/,
    );
    expect(tsbox(['ps', '-aq']).stdout).toBe('');
    expect(ip('-o link')).not.toContain('veth');
  });
});

/** A router advertisement (RFC 4861, 4.2), until there is a route by it: the host may have to get an address of its own first. */
async function advertise(machine: Machine): Promise<void> {
  const namespace = openNetworkNamespace(machine.pid);
  try {
    for (let attempt = 0; attempt < 60 && ip('-6 route show default') === ''; attempt++) {
      try {
        inNetworkNamespace(namespace, sendAdvertisement);
      } catch (error) {
        // Its link-local address is being tried yet.
        if (attempt === 59) throw error;
      }
      await sleep(100);
    }
  } finally {
    closeDescriptor(namespace);
  }
}

function sendAdvertisement(): void {
  const [AF_INET6, SOCK_RAW, IPPROTO_ICMPV6, IPPROTO_IPV6, IPV6_MULTICAST_HOPS] = [
    10, 3, 58, 41, 18,
  ] as const;
  const fd = syscall('socket', [AF_INET6, SOCK_RAW, IPPROTO_ICMPV6]);
  try {
    // Others than 255 came through a router, and are ignored.
    syscall('setsockopt', [fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, Uint8Array.of(255, 0, 0, 0), 4]);
    // Type 134; hop limit 64; a router for 1800 s. The kernel fills in the checksum.
    const message = Buffer.from('86000000 40000708 00000000 00000000'.replaceAll(' ', ''), 'hex');
    const everybody = Buffer.alloc(28);
    everybody.writeUInt16LE(AF_INET6);
    Buffer.from('ff020000000000000000000000000001', 'hex').copy(everybody, 8);
    const addresses = readFileSync('/proc/thread-self/net/if_inet6', 'latin1');
    const scope = /^fe80\S* (\w+) .* eth0$/m.exec(addresses)?.[1] ?? '0';
    const index = Number.parseInt(scope, 16);
    fields(everybody).setUint32(24, index, true);
    syscall('sendto', [fd, message, message.length, 0, everybody, everybody.length]);
  } finally {
    closeDescriptor(fd);
  }
}
