import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { closeDescriptor } from '../../../src/kernel/index.ts';
import {
  ensureTable,
  parsePublish,
  publish,
  type Reservation,
  type ReserveOptions,
  removeNetworkRules,
  reservePorts,
  unpublish,
} from '../../../src/network/nat/index.ts';

const isRoot = process.geteuid?.() === 0;

describe.skipIf(!isRoot)(isRoot ? 'holding ports' : 'holding ports (skipped: needs root)', () => {
  const held: Reservation[] = [];
  const children: ChildProcess[] = [];
  const servers: Server[] = [];

  const reserve = (text: string | string[], options?: ReserveOptions) => {
    const reservation = reservePorts([text].flat().flatMap(parsePublish), options);
    held.push(reservation);
    return reservation;
  };
  const refusal = (text: string | string[], options?: ReserveOptions) => {
    try {
      reserve(text, options);
    } catch (error) {
      return error as { code: string; message: string; advice?: string };
    }
    throw new Error('not refused');
  };
  /** What `-p 8080:80` gives, as text. */
  const ports = ({ ports }: Reservation) =>
    ports.map(
      ({ hostAddress, hostPort, containerPort, protocol }) =>
        `${hostAddress} ${hostPort} ${containerPort}/${protocol}`,
    );

  afterEach(async () => {
    for (const { descriptors } of held.splice(0)) descriptors.forEach(closeDescriptor);
    for (const server of servers.splice(0)) server.close();
    for (const child of children.splice(0)) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  });

  async function listen(port: number, host: string): Promise<void> {
    const server = createServer((socket) => socket.end());
    servers.push(server.listen(port, host));
    await once(server, 'listening');
  }

  async function other(script: string, ...command: string[]): Promise<ChildProcess> {
    const [program = '', ...args] = [...command, process.execPath, '-e', script];
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    await once(child.stdout, 'data');
    return child;
  }

  test('without an address: of both families; nobody else has it then, and afterwards they do', async () => {
    const reservation = reserve('8080:80');
    expect(ports(reservation)).toEqual(['0.0.0.0 8080 80/tcp', ':: 8080 80/tcp']);
    expect(reservation.descriptors).toHaveLength(2);
    await expect(listen(8080, '0.0.0.0')).rejects.toThrow('EADDRINUSE');
    await expect(listen(8080, '127.0.0.1')).rejects.toThrow('EADDRINUSE');
    await expect(listen(8080, '::')).rejects.toThrow('EADDRINUSE');
    held.splice(0);
    reservation.descriptors.forEach(closeDescriptor);
    await listen(8080, '::');
  });

  test('it does not listen: who connects to it is refused', async () => {
    reserve('8080:80');
    const socket = connect(8080, '127.0.0.1');
    const [error] = await once(socket, 'error').catch((error) => [error]);
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('of one address: the others are free', async () => {
    expect(ports(reserve('127.0.0.1:8080:80'))).toEqual(['127.0.0.1 8080 80/tcp']);
    expect(ports(reserve('127.0.0.2:8080:80'))).toEqual(['127.0.0.2 8080 80/tcp']);
    expect(ports(reserve('[::]:8080:80'))).toEqual([':: 8080 80/tcp']);
    await listen(8080, '127.0.0.3');
  });

  test('tcp and udp beside each other', () => {
    expect(ports(reserve(['53:53', '53:53/udp'], { ipv6: false }))).toEqual([
      '0.0.0.0 53 53/tcp',
      '0.0.0.0 53 53/udp',
    ]);
  });

  test('for containers of one family only', () => {
    expect(ports(reserve('8080:80', { ipv6: false }))).toEqual(['0.0.0.0 8080 80/tcp']);
    expect(ports(reserve('8081:80', { ipv4: false }))).toEqual([':: 8081 80/tcp']);
    expect(refusal('[::]:8082:80', { ipv6: false })).toMatchObject({
      code: 'NO_IPV6',
      message: "cannot publish a port at [::]: the container's network has no IPv6",
    });
  });

  test('at the address of the network, where it has one', () => {
    expect(ports(reserve('8080:80', { defaultAddress: '127.0.0.1' }))).toEqual(['127.0.0.1 8080 80/tcp']);
  });

  test('any free one, of several, of a range', async () => {
    const [first, second] = reserve(['80', '81'], { ipv6: false }).ports.map(({ hostPort }) => hostPort);
    for (const port of [first, second]) {
      expect(port).toBeGreaterThanOrEqual(49153);
      expect(port).toBeLessThanOrEqual(65535);
    }
    expect(first).not.toBe(second);
    const both = reserve('80');
    expect(both.ports[0]?.hostPort).toBe(both.ports[1]?.hostPort);
    await listen(8000, '0.0.0.0');
    // Taken in IPv6 only: then it is no good for both.
    await listen(8001, '::1');
    expect(ports(reserve('8000-8005:80'))).toEqual(['0.0.0.0 8002 80/tcp', ':: 8002 80/tcp']);
    expect(ports(reserve('8000-8005:80'))).toEqual(['0.0.0.0 8003 80/tcp', ':: 8003 80/tcp']);
    expect(refusal('8000-8003:80').message).toBe('all ports from 8000 to 8003/tcp of the host are in use');
  });

  test('one that must be has it before those that may be any', () => {
    expect(ports(reserve(['8000-8001:80', '8000:81'], { ipv6: false }))).toEqual([
      '0.0.0.0 8000 81/tcp',
      '0.0.0.0 8001 80/tcp',
    ]);
  });

  test('a port of another process: which', async () => {
    const child = await other(
      "require('net').createServer().listen(8080, '127.0.0.1', () => console.log('ready'))",
    );
    expect(refusal('8080:80')).toMatchObject({
      code: 'PORT_IN_USE',
      exitCode: 125,
      message: `port 0.0.0.0:8080/tcp is already in use by process ${child.pid} (node)`,
      advice: 'publish another port, or end what has this one',
    });
    // All or nothing: nothing is held of those that were free.
    expect(refusal(['8079:79', '8080:80']).code).toBe('PORT_IN_USE');
    await listen(8079, '0.0.0.0');
  });

  test('the same of UDP and of IPv6; a process that cannot be seen stays without a name', async () => {
    const udp = await other(
      "require('dgram').createSocket('udp6').bind(8080, '::', () => console.log('ready'))",
    );
    expect(refusal('8080:80/udp').message).toBe(
      `port 0.0.0.0:8080/udp is already in use by process ${udp.pid} (node)`,
    );
    const hidden = await other(
      "require('net').createServer().listen(8081, () => { process.title = 'a\\nb'; console.log('ready') })",
    );
    expect(refusal('8081:80').message).toBe(
      `port 0.0.0.0:8081/tcp is already in use by process ${hidden.pid} (a?b)`,
    );
  });

  test('a port of a container: which, by its name where that is known', () => {
    ensureTable([
      {
        interface: 'tsbox0',
        internal: false,
        ipv6: false,
        masquerade: { 4: true, 6: false },
        communication: true,
      },
    ]);
    const id = 'c0ffee'.padEnd(64, '0');
    execFileSync('ip', ['link', 'add', 'tsbox0', 'type', 'bridge']);
    const { ports } = reserve(['8080:80', '127.0.0.1:53:53/udp']);
    publish(id, ports, ['10.87.0.2'], 'tsbox0');
    expect(refusal('8080:80').message).toBe(
      'port 0.0.0.0:8080/tcp is already in use by container c0ffee000000',
    );
    expect(refusal('127.0.0.1:8080:80', { nameOf: () => 'web' }).message).toBe(
      'port 127.0.0.1:8080/tcp is already in use by container web',
    );
    expect(refusal('53:53/udp').message).toBe(
      'port 0.0.0.0:53/udp is already in use by container c0ffee000000',
    );
    unpublish([id]);
    expect(refusal('8080:80').message).toBe('port 0.0.0.0:8080/tcp is already in use');
    removeNetworkRules(['tsbox0']);
  });

  test('a port that is asked for twice, and the very same twice', () => {
    expect(refusal(['8080:80', '8080:81']).message).toBe('port 0.0.0.0:8080/tcp is asked for twice');
    expect(refusal(['8080:80', '127.0.0.1:8080:81']).message).toBe(
      'port 127.0.0.1:8080/tcp is asked for twice',
    );
    expect(ports(reserve(['8080:80', '8080:80'], { ipv6: false }))).toEqual(['0.0.0.0 8080 80/tcp']);
  });

  test('connections that have ended and linger (TIME_WAIT) are in nobody’s way; then nobody else has the port', async () => {
    const server = await other(
      `const server = require('net').createServer((socket) => socket.end('bye')).listen(8080, '127.0.0.1', () => console.log('ready'))`,
    );
    const socket = connect(8080, '127.0.0.1').resume();
    await once(socket, 'close');
    server.kill();
    await once(server, 'exit');
    children.splice(0);
    await expect(readFile('/proc/net/tcp', 'latin1')).resolves.toMatch(/ 0100007F:1F90 \S+ 06 /);
    expect(ports(reserve('8080:80'))).toEqual(['0.0.0.0 8080 80/tcp', ':: 8080 80/tcp']);
    expect(refusal('8080:80').message).toMatch(/^port 0\.0\.0\.0:8080\/tcp is already in use/);
    expect(refusal('127.0.0.1:8080:80').code).toBe('PORT_IN_USE');
    await expect(listen(8080, '127.0.0.1')).rejects.toThrow('EADDRINUSE');
    const again = connect(8080, '127.0.0.1');
    const [error] = await once(again, 'error').catch((error) => [error]);
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('addresses that are not of this host, and [::1]', () => {
    expect(refusal('192.0.2.99:8080:80')).toMatchObject({
      code: 'BAD_ADDRESS',
      message: 'cannot publish 192.0.2.99:8080/tcp: no interface of this host has the address 192.0.2.99',
    });
    expect(refusal('[::1]:8080:80').message).toBe(
      'cannot publish a port at [::1]: the kernel drops answers to it',
    );
  });

  test('sctp, where the kernel has none: that is said; where it has, the port is held', () => {
    let message: string | undefined;
    try {
      expect(ports(reserve('3868:3868/sctp', { ipv6: false }))).toEqual(['0.0.0.0 3868 3868/sctp']);
    } catch (error) {
      ({ message } = error as Error);
    }
    expect([undefined, 'cannot publish 0.0.0.0:3868/sctp: this kernel has no SCTP']).toContain(message);
  });

  test('five hundred ports at once, and none is left when the descriptors are closed', () => {
    const { ports, descriptors } = reserve('20000-20499:30000-30499');
    expect(ports).toHaveLength(1000);
    held.splice(0);
    descriptors.forEach(closeDescriptor);
    expect(reserve('20000-20499:30000-30499').ports).toHaveLength(1000);
  });
});
