import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { closeDescriptor } from '../../../../src/kernel/index.ts';
import { openNetworkNamespace } from '../../../../src/kernel/netlink/index.ts';
import { attachInterfaces, ensureBridge } from '../../../../src/network/link/index.ts';

/**
 * Machines for tests of traffic. The test's own network namespace is the host; containers are processes with namespaces of their own, on bridges of ours; `outside`
 * is a machine on the other side of a cable, 192.0.2.2 and 2001:db8::2, that knows the host as 192.0.2.1 and 2001:db8::1.
 */
export class Lab {
  readonly #processes: ChildProcess[] = [];

  bridge(name: string, addresses: string[]): void {
    ensureBridge({ name, alias: 'tsbox:test', mtu: 1500, addresses });
  }

  /** A namespace on a bridge, with default routes where gateways are given. */
  async container(
    bridge: string,
    addresses: string[],
    gateways: string[],
    more: { isolated?: boolean } = {},
  ): Promise<Machine> {
    const machine = await this.#machine(addresses);
    const namespace = openNetworkNamespace(machine.pid);
    attachInterfaces(namespace, [
      {
        driver: 'bridge',
        parent: bridge,
        interface: 'eth0',
        mtu: 1500,
        addresses,
        gateways,
        hairpin: true,
        ...more,
      },
    ]);
    closeDescriptor(namespace);
    return machine;
  }

  async outside(): Promise<Machine> {
    const machine = await this.#machine();
    ip(`link add uplink type veth peer name eth0 netns ${machine.pid}`);
    for (const [address, words] of [
      ['192.0.2', '/24'],
      ['2001:db8::', '/64 nodad'],
    ] as const) {
      const dot = address.includes(':') ? '' : '.';
      ip(`addr add ${address}${dot}1${words} dev uplink`);
      machine.ip(`addr add ${address}${dot}2${words} dev eth0`);
    }
    ip('link set uplink up');
    machine.ip('link set lo up');
    machine.ip('link set eth0 up');
    return machine;
  }

  async #machine(addresses: readonly string[] = []): Promise<Machine> {
    const child = spawn('unshare', ['--net', 'sleep', 'infinity'], { stdio: 'ignore' });
    this.#processes.push(child);
    const pid = child.pid as number;
    // Until it has left the host's namespace and become `sleep`.
    while (readFileSync(`/proc/${pid}/comm`, 'utf8') !== 'sleep\n') await sleep(5);
    return new Machine(pid, this.#processes, addresses);
  }

  /** The host itself as a machine. */
  host(): Machine {
    return new Machine(process.pid, this.#processes, []);
  }

  async close(): Promise<void> {
    for (const child of this.#processes.reverse()) {
      const gone = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined;
      child.kill('SIGKILL');
      await gone;
    }
  }
}

export class Machine {
  readonly pid: number;
  /** Those that it was made with. */
  readonly addresses: readonly string[];
  readonly #processes: ChildProcess[];

  constructor(pid: number, processes: ChildProcess[], addresses: readonly string[]) {
    this.addresses = addresses;
    this.pid = pid;
    this.#processes = processes;
  }

  ip(words: string): void {
    this.run('ip', ...words.split(' '));
  }

  run(...command: string[]): string {
    return execFileSync('nsenter', ['-t', String(this.pid), '-n', ...command], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  /** Answers whoever asks with the address and port that it sees of them: over TCP as HTTP, or in a datagram. It listens when this resolves. */
  async serve(protocol: 'tcp' | 'udp', port: number, host = '::', name = ''): Promise<ChildProcess> {
    const child = inNamespace(this.pid, SERVER, [protocol, String(port), host, name]);
    this.#processes.push(child);
    await firstOutput(child);
    return child;
  }

  /** What a server there says to this machine, or `error CODE`. @see ask */
  ask(protocol: 'tcp' | 'udp', host: string, port: number, from = 0): string {
    return ask(protocol, host, port, from, this.pid);
  }

  /** Whether nothing comes back from there within a second. */
  waitsInVain(host: string, port: number): boolean {
    return ask('tcp', host, port, 0, this.pid, 1000) === 'error timeout';
  }
}

/**
 * What a server says to the host, or to another machine: the address that it sees. `error ECONNREFUSED`, or `error timeout` after so many
 * milliseconds in which nothing came.
 *
 * @param from the port to ask from; 0 for any
 */
export function ask(
  protocol: 'tcp' | 'udp',
  host: string,
  port: number,
  from = 0,
  pid = process.pid,
  patience = 10_000,
): string {
  const args = [
    '-t',
    String(pid),
    '-n',
    process.execPath,
    '-e',
    CLIENT,
    protocol,
    host,
    `${port}`,
    `${from}`,
    `${patience}`,
  ];
  const { stdout, stderr } = spawnSync('nsenter', args, { encoding: 'utf8', timeout: 20_000 });
  if (stderr !== '') throw new Error(stderr);
  return stdout;
}

export function ip(words: string): string {
  return execFileSync('ip', words.split(' '), { encoding: 'utf8' });
}

export function nft(...words: string[]): string {
  return execFileSync('nft', words, { encoding: 'utf8' });
}

export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function inNamespace(pid: number, script: string, args: string[]): ChildProcess {
  return spawn('nsenter', ['-t', String(pid), '-n', process.execPath, '-e', script, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

async function firstOutput(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit').then(() => {
    throw new Error('the server has ended');
  });
  await Promise.race([once(child.stdout as NonNullable<typeof child.stdout>, 'data'), ended]);
  ended.catch(() => {});
}

const SERVER = `
const [protocol, port, host, name] = process.argv.slice(1);
const seen = (address) => name + address.replace('::ffff:', '');
if (protocol === 'tcp') {
  require('node:http').createServer((request, response) => response.end(seen(request.socket.remoteAddress)))
    .listen({ port: Number(port), host, backlog: 1024 }, () => console.log('ready'));
} else {
  const socket = require('node:dgram').createSocket(host.includes(':') ? 'udp6' : 'udp4');
  socket.on('message', (_, { address, port }) => socket.send(seen(address), port, address));
  socket.bind(Number(port), host, () => console.log('ready'));
}`;

const CLIENT = `
const [protocol, host, port, from, patience] = process.argv.slice(1);
const end = (text) => { process.stdout.write(text); process.exit(); };
setTimeout(() => end('error timeout'), Number(patience));
if (protocol === 'tcp') {
  require('node:http').get({ host, port, agent: false, ...(from !== '0' && { localPort: Number(from) }) }, async (response) => {
    let text = '';
    for await (const piece of response) text += piece;
    end(text);
  }).on('error', (error) => end('error ' + error.code));
} else {
  const socket = require('node:dgram').createSocket(host.includes(':') ? 'udp6' : 'udp4');
  socket.on('message', (text) => end(String(text)));
  socket.on('error', (error) => end('error ' + error.code));
  socket.bind(Number(from), () => socket.connect(Number(port), host, () => socket.send('hello')));
}`;
