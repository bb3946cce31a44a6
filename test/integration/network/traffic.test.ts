import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { get } from 'node:http';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { attachInterfaces, ensureBridge } from '../../../src/network/link/index.ts';
import { change, describeLinks, Namespace } from './namespaces.ts';

const execute = promisify(execFile);

/** Says who asks. Prints its port when it listens. */
const SERVER = `
  const server = require('node:http').createServer((request, answer) => answer.end('you are ' + request.socket.remoteAddress));
  server.listen(8080, '::', 4096, () => console.log('listening'));`;

/** Asks all at once, and prints how many answered what. */
const CLIENT = `
  const [url, times] = process.argv.slice(1);
  const ask = () => new Promise((resolve, reject) => require('node:http').get(url, { agent: false }, async (answer) => {
    let text = '';
    for await (const part of answer) text += part;
    resolve(text);
  }).on('error', reject));
  Promise.all(Array.from({ length: Number(times) }, ask)).then((answers) => {
    const counts = {};
    for (const answer of answers) counts[answer] = (counts[answer] ?? 0) + 1;
    console.log(JSON.stringify(counts));
  });`;

describeLinks('traffic over a bridge', () => {
  let one: Namespace;
  let two: Namespace;
  const attach = (namespace: Namespace, n: number) =>
    attachInterfaces(namespace.fd, [
      {
        driver: 'bridge',
        parent: 'tsbox0',
        interface: 'eth0',
        mtu: 1400,
        addresses: [`10.87.0.${n}/16`, `fd00:87::${n}/64`],
        gateways: ['10.87.0.1', 'fd00:87::1'],
      },
    ]);
  const ask = async (from: Namespace, url: string, times = 1) => {
    const command = [
      `--net=/proc/${from.holder.pid}/ns/net`,
      process.execPath,
      '-e',
      CLIENT,
      url,
      String(times),
    ];
    return JSON.parse((await execute('nsenter', command)).stdout);
  };
  const size = (from: Namespace, bytes: number) =>
    from.run('busybox', 'ping', '-c', '1', '-W', '5', '-s', String(bytes), '10.87.0.3');

  beforeAll(async () => {
    ensureBridge({
      name: 'tsbox0',
      alias: 'tsbox:0',
      mtu: 1400,
      addresses: ['10.87.0.1/16', 'fd00:87::1/64'],
    });
    [one, two] = [await Namespace.make(), await Namespace.make()];
    attach(one, 2);
    attach(two, 3);
    await once(two.node(SERVER).stdout as NodeJS.ReadableStream, 'data');
  });
  afterAll(async () => {
    await one.end();
    await two.end();
    change('link', 'delete', 'tsbox0');
  });

  test('HTTP from one namespace to the other, IPv4 and IPv6', async () => {
    expect(await ask(one, 'http://10.87.0.3:8080')).toEqual({ 'you are ::ffff:10.87.0.2': 1 });
    expect(await ask(one, 'http://[fd00:87::3]:8080')).toEqual({ 'you are fd00:87::2': 1 });
  });

  test('HTTP from the host', async () => {
    for (const [address, own] of [
      ['10.87.0.3', '::ffff:10.87.0.1'],
      ['[fd00:87::3]', 'fd00:87::1'],
    ]) {
      const [answer] = await once(get(`http://${address}:8080`, { agent: false }), 'response');
      expect(String((await once(answer, 'data'))[0])).toBe(`you are ${own}`);
    }
  });

  test('a thousand connections at once', async () => {
    expect(await ask(one, 'http://10.87.0.3:8080', 1000)).toEqual({ 'you are ::ffff:10.87.0.2': 1000 });
  });

  test('a container reaches itself by its own address, and by 127.0.0.1', async () => {
    expect(await ask(two, 'http://10.87.0.3:8080')).toEqual({ 'you are ::ffff:10.87.0.3': 1 });
    expect(await ask(two, 'http://127.0.0.1:8080')).toEqual({ 'you are ::ffff:127.0.0.1': 1 });
  });

  test('packets as large as the MTU, and larger ones in parts', () => {
    // 20 bytes of IPv4 and 8 of ICMP.
    expect(size(one, 1372)).toContain('1 packets received');
    expect(size(one, 8000)).toContain('1 packets received');
    expect(Number(fragments(two))).toBeGreaterThan(0);
  });

  /** Ip: ReasmReqds of /proc/net/snmp: fragments that arrived. */
  function fragments(namespace: Namespace): string | undefined {
    const [names, values] = namespace
      .run('cat', '/proc/net/snmp')
      .split('\n')
      .filter((line) => line.startsWith('Ip:'))
      .map((line) => line.split(' '));
    return values?.[names?.indexOf('ReasmReqds') ?? -1];
  }
});
