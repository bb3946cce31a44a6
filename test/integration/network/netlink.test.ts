import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { buildSync } from 'esbuild';
import { afterEach, expect, test } from 'vitest';
import { closeDescriptor, Errno, KernelError, syscall } from '../../../src/kernel/index.ts';
import {
  decodeAttributes,
  IFLA,
  IFLA_INFO,
  inNetworkNamespace,
  NetlinkSocket,
  NLM_F,
  openNetworkNamespace,
  type Request,
  textOf,
} from '../../../src/kernel/netlink/index.ts';
import { hostSubnets, uplinkMtu } from '../../../src/network/link/index.ts';
import { change, describeLinks, links, Namespace } from './namespaces.ts';

const HEADER = new Uint8Array(16);
const make = (name: string, kind = 'bridge'): Request => ({
  type: 'RTM_NEWLINK',
  flags: NLM_F.NLM_F_CREATE | NLM_F.NLM_F_EXCL,
  header: HEADER,
  attributes: [
    [IFLA.IFLA_IFNAME, name],
    [IFLA.IFLA_LINKINFO, [[IFLA_INFO.IFLA_INFO_KIND, kind]]],
  ],
});
const ask = (name: string, allow: number[] = []): Request => ({
  type: 'RTM_GETLINK',
  header: HEADER,
  attributes: [[IFLA.IFLA_IFNAME, name]],
  allow,
});
const ALL: Request = { type: 'RTM_GETLINK', header: HEADER };
const namesIn = (socket: NetlinkSocket) =>
  socket
    .dump(ALL, 'list the links')
    .map(({ payload }) => textOf(decodeAttributes(payload, 16).get(IFLA.IFLA_IFNAME)) as string);

/** Makes and removes links until it is told to end, in a thread of its own. */
const CHANGES = `
  import { workerData } from 'node:worker_threads';
  import { NetlinkSocket } from './src/kernel/netlink/index.ts';
  const socket = NetlinkSocket.open();
  const [make, remove] = workerData;
  while (true) { socket.batch([make], 'make'); socket.batch([remove], 'remove'); }`;

describeLinks('netlink', () => {
  let socket: NetlinkSocket | undefined;
  const open = () => {
    socket = NetlinkSocket.open();
    return socket;
  };
  afterEach(() => {
    socket?.close();
    socket = undefined;
    for (const name of links()) change('link', 'delete', name);
  });

  test('an error says what was tried, what was asked, which error it was, and the kernel’s own words', () => {
    try {
      open().batch([make('one'), make('two', 'nosuch'), make('three')], 'make three links');
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(KernelError);
      expect(error).toMatchObject({
        code: 'EOPNOTSUPP',
        syscall: 'RTM_NEWLINK',
        errno: -95,
        message: 'make three links: RTM_NEWLINK: Operation not supported (EOPNOTSUPP): Unknown device type',
      });
    }
    // The kernel goes on after it; the socket too.
    expect(links()).toEqual(['one', 'three']);
    expect(namesIn(socket as NetlinkSocket)).toEqual(['lo', 'one', 'three']);
  });

  test('the first of several errors is the one that is thrown; those that are allowed are none', () => {
    const wrong = make('two', 'nosuch');
    expect(() => open().batch([make('lo'), wrong], 'try')).toThrow('RTM_NEWLINK: File exists (EEXIST)');
    socket?.batch(
      [
        { ...make('lo'), allow: [Errno.EEXIST] },
        { ...wrong, allow: [Errno.EOPNOTSUPP] },
      ],
      'try',
    );
    expect(links()).toEqual([]);
  });

  test('what is not there', () => {
    expect(open().get(ask('nosuch', [Errno.ENODEV]), 'ask')).toBeUndefined();
    expect(() => socket?.get(ask('nosuch'), 'ask')).toThrow('ask: RTM_GETLINK: No such device (ENODEV)');
    expect(() => socket?.get(ask('n'.repeat(200)), 'ask')).toThrow('Numerical result out of range (ERANGE)');
  });

  test('more requests than one send takes, and more links than one answer holds', () => {
    const names = Array.from({ length: 150 }, (_, at) => `link${at}`);
    open().batch(
      names.map((name) => make(name)),
      'make many links',
    );
    expect(namesIn(socket as NetlinkSocket).sort()).toEqual(['lo', ...names].sort());
    const removals = names.map((name): Request => ({ ...ask(name), type: 'RTM_DELLINK' }));
    socket?.batch(removals, 'remove them');
    expect(links()).toEqual([]);
  });

  test('a list is whole also while others make and remove links', async () => {
    const names = Array.from({ length: 80 }, (_, at) => `link${at}`);
    open().batch(
      names.map((name) => make(name)),
      'make links',
    );
    const worker = startWorker(CHANGES, [make('changing'), { ...ask('changing'), type: 'RTM_DELLINK' }]);
    await once(worker, 'online');
    try {
      for (let round = 0; round < 200; round++) {
        const listed = namesIn(socket as NetlinkSocket);
        expect(names.filter((name) => !listed.includes(name))).toEqual([]);
        expect(listed.length).toBe(new Set(listed).size);
      }
    } finally {
      await worker.terminate();
    }
    const removals = ['changing', ...names].map(
      (name): Request => ({ ...ask(name, [Errno.ENODEV]), type: 'RTM_DELLINK' }),
    );
    socket?.batch(removals, 'remove them');
  });

  test('what somebody else sends to the socket is no answer', () => {
    const other = syscall('socket', [AF_NETLINK, SOCK_RAW, 0]);
    const port = portOf(open());
    // For each number that the socket could be waiting for, EPERM and success: a container could.
    for (let sequence = 1; sequence < 20; sequence++) send(other, port, verdict(sequence, -Errno.EPERM));
    expect(namesIn(socket as NetlinkSocket)).toEqual(['lo']);
    socket?.batch([make('one')], 'make a link');
    for (let sequence = 1; sequence < 20; sequence++) send(other, port, verdict(sequence, 0));
    expect(() => socket?.batch([make('one')], 'make it again')).toThrow('File exists (EEXIST)');
    // A flood, which leaves no room for the kernel's answer.
    for (let sequence = 1; sequence < 5000; sequence++) send(other, port, verdict(sequence, 0));
    expect(() => socket?.batch([make('two')], 'make a link')).toThrow('No buffer space available (ENOBUFS)');
    closeDescriptor(other);
  });

  /** The port that a socket gets with its first request: /proc/net/netlink. */
  function portOf(socket: NetlinkSocket): number {
    const ports = () =>
      readFileSync('/proc/thread-self/net/netlink', 'latin1')
        .split('\n')
        .flatMap((line) => (/^\S+ 0 +(\d+)/.exec(line)?.[1] ?? []) as string);
    const before = ports();
    socket.get(ask('lo'), 'ask');
    return Number(ports().find((port) => !before.includes(port)));
  }

  /** NLMSG_ERROR. */
  function verdict(sequence: number, errno: number): Buffer {
    const bytes = Buffer.alloc(36);
    bytes.writeUInt32LE(36, 0);
    bytes.writeUInt16LE(2, 4);
    bytes.writeUInt32LE(sequence, 8);
    bytes.writeInt32LE(errno, 16);
    return bytes;
  }

  function send(from: number, port: number, bytes: Buffer): void {
    const address = Buffer.alloc(12);
    address.writeUInt16LE(AF_NETLINK, 0);
    address.writeUInt32LE(port, 4);
    const args = [from, bytes, bytes.length, MSG_DONTWAIT, address, address.length];
    syscall('sendto', args, { allow: [Errno.EAGAIN] });
  }
});

describeLinks('network namespaces', () => {
  const current = () => readlinkSync('/proc/thread-self/ns/net');

  test('a socket that was opened in one stays there, and the thread does not', async () => {
    const namespace = await Namespace.make();
    const before = current();
    const socket = inNetworkNamespace(namespace.fd, () => {
      expect(current()).toBe(readlinkSync(`/proc/${namespace.holder.pid}/ns/net`));
      return NetlinkSocket.open();
    });
    expect(current()).toBe(before);
    socket.batch([make('inside')], 'make a link');
    socket.close();
    expect(links()).toEqual([]);
    expect(namespace.ip('link').map(({ ifname }) => ifname)).toEqual(['lo', 'inside']);
    await namespace.end();
  });

  test('it comes back from what throws, and leaves no descriptor', async () => {
    const namespace = await Namespace.make();
    const before = [current(), readdirSync('/proc/self/fd')];
    expect(() =>
      inNetworkNamespace(namespace.fd, () => {
        throw new Error('inside');
      }),
    ).toThrow('inside');
    expect(() => inNetworkNamespace(0, () => 1)).toThrow('enter a network namespace: setns');
    expect([current(), readdirSync('/proc/self/fd')]).toEqual(before);
    await namespace.end();
  });

  test('of a process that is not there', () => {
    expect(() => openNetworkNamespace(2 ** 22 + 1)).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  });

  test('in a worker thread, while the main thread stays', async () => {
    const namespace = await Namespace.make();
    const worker = startWorker(
      `
      import { parentPort, workerData } from 'node:worker_threads';
      import { readlinkSync } from 'node:fs';
      import { attachInterfaces, ensureBridge } from './src/network/link/index.ts';
      const before = readlinkSync('/proc/thread-self/ns/net');
      ensureBridge({ name: 'tsbox0', alias: 'tsbox:0', mtu: 1500, addresses: ['10.87.0.1/16'] });
      attachInterfaces(workerData, [{ driver: 'bridge', parent: 'tsbox0', interface: 'eth0', mtu: 1500, addresses: ['10.87.0.2/16'], gateways: [] }]);
      parentPort.postMessage(readlinkSync('/proc/thread-self/ns/net') === before);`,
      namespace.fd,
    );
    const [same] = await once(worker, 'message');
    expect(same).toBe(true);
    expect(namespace.run('busybox', 'ping', '-c', '1', '-W', '5', '10.87.0.1')).toContain(
      '1 packets received',
    );
    await worker.terminate();
    await namespace.end();
    change('link', 'delete', 'tsbox0');
  });

  test('one that belongs to a container’s own user namespace', async () => {
    // As with --userns: in it we are nobody, and outside root.
    const namespace = await Namespace.make('--user', '--map-root-user');
    inNetworkNamespace(namespace.fd, () => {
      const socket = NetlinkSocket.open();
      socket.batch([make('inside')], 'make a link');
      socket.close();
    });
    expect(namespace.ip('link').map(({ ifname }) => ifname)).toEqual(['lo', 'inside']);
    await namespace.end();
  });
});

describeLinks('what this machine’s network is like', () => {
  afterEach(() => {
    for (const name of links()) if (links().includes(name)) change('link', 'delete', name);
  });
  const link = (name: string, ...more: string[]) => {
    change('link', 'add', name, ...more, 'type', 'bridge');
    change('link', 'set', name, 'up');
  };

  test('with nothing but lo', () => {
    expect(hostSubnets()).toEqual([]);
    expect(uplinkMtu()).toBe(1500);
  });

  test('subnets: those of addresses and of routes, in every table, but no ways to everywhere', () => {
    link('up0');
    link('down0');
    change('link', 'set', 'down0', 'down');
    change('address', 'add', '192.0.2.9/24', 'dev', 'up0');
    change('address', 'add', '198.51.100.7/25', 'dev', 'down0');
    change('address', 'add', '10.1.0.1', 'peer', '10.2.0.0/24', 'dev', 'up0');
    change('address', 'add', 'fd00:1::5/64', 'dev', 'up0', 'nodad');
    change('address', 'add', '169.254.1.1/16', 'dev', 'up0');
    for (const route of ['default', '10.3.0.0/16', '0.0.0.0/1', '128.0.0.0/1'])
      change('route', 'add', route, 'via', '192.0.2.1');
    change('route', 'add', '10.4.0.0/16', 'dev', 'up0', 'table', '51820');
    change('route', 'add', 'blackhole', '10.5.0.0/16');
    change('-6', 'route', 'add', 'fd00:2::/48', 'dev', 'up0');
    change('-6', 'route', 'add', '2000::/3', 'dev', 'up0');
    expect(hostSubnets().sort()).toEqual(
      [
        '10.1.0.0/24',
        '10.2.0.0/24',
        '10.3.0.0/16',
        '10.4.0.0/16',
        '192.0.2.0/24',
        '198.51.100.0/25',
        'fd00:1::/64',
        'fd00:2::/48',
      ].sort(),
    );
  });

  test('the MTU on the way out: of the link, or of the route itself', () => {
    link('up0', 'mtu', '1400');
    change('link', 'set', 'up0', 'mtu', '1400');
    change('address', 'add', '192.0.2.9/24', 'dev', 'up0');
    expect(uplinkMtu()).toBe(1500);
    change('route', 'add', 'default', 'via', '192.0.2.1');
    expect(uplinkMtu()).toBe(1400);
    change('route', 'replace', 'default', 'via', '192.0.2.1', 'mtu', '1280');
    expect(uplinkMtu()).toBe(1280);
    change('route', 'replace', 'unreachable', 'default', 'metric', '0');
    expect(uplinkMtu()).toBe(1500);
  });

  test('with IPv6 only', () => {
    link('up0', 'mtu', '1400');
    change('link', 'set', 'up0', 'mtu', '1400');
    change('address', 'add', 'fd00:1::5/64', 'dev', 'up0', 'nodad');
    change('-6', 'route', 'add', 'default', 'via', 'fd00:1::1');
    expect(uplinkMtu()).toBe(1400);
  });
});

/** A worker thread with what it imports in it, since Node 20 reads no TypeScript. */
function startWorker(source: string, workerData: unknown): Worker {
  const bundled = buildSync({
    stdin: { contents: source, resolveDir: checkout, loader: 'ts' },
    bundle: true,
    write: false,
    platform: 'node',
    format: 'cjs',
    define: { 'import.meta.dirname': JSON.stringify(join(checkout, 'src')) },
  });
  const worker = new Worker(bundled.outputFiles[0]?.text as string, { eval: true, workerData });
  worker.on('error', (error) => {
    throw error;
  });
  return worker;
}

const checkout = join(import.meta.dirname, '..', '..', '..');
const AF_NETLINK = 16;
const SOCK_RAW = 3;
const MSG_DONTWAIT = 0x40;
