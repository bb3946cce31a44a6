import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeOutside, Network } from './network-host.mjs';

/** Ports of a container's, and those of the machine that lead to them. */
export const PORTS = { throughput: 5201, latency: 7000 };
export const PUBLISHED = { throughput: 15_201, latency: 17_000 };
const publications = Object.keys(PORTS).map((kind) => `${PUBLISHED[kind]}:${PORTS[kind]}`);
const flags = publications.flatMap((one) => ['-p', one]);
const FOR_EVER = ['sleep', '1000000'];

/** Of the plain pairs, the one that has the least that publishes a port. */
export const RULED = 'plain, one rule of DNAT';

/**
 * Who is measured: each has a machine of its own (a network namespace), somebody outside of it, and two containers, of which the second has its ports
 * published.
 *
 * `start(network)`: a command line that runs `true` in a new container of that network.
 */
export async function findPeers(setup) {
  const peers = [await plain('plain'), await plain(RULED), await tsbox(setup)];
  for (const make of [podman, docker]) {
    const peer = await make(setup).catch((error) => ({ absent: error.message }));
    if (peer.absent) console.error(peer.absent);
    else peers.push(peer);
  }
  return peers;
}

/** Two namespaces with a veth pair each and a bridge, made with `ip`, and routed to from outside: but for `RULED` no address is translated, and no rule asked. */
async function plain(name) {
  const machine = await Network.make();
  const outside = await makeOutside(machine);
  machine.run('ip', 'link', 'add', 'plain0', 'type', 'bridge');
  machine.run('ip', 'address', 'add', '10.99.0.1/24', 'dev', 'plain0');
  machine.run('ip', 'link', 'set', 'plain0', 'up');
  machine.run('sysctl', '-qw', 'net.ipv4.ip_forward=1');
  const address = '10.99.0.3';
  if (name === RULED) {
    const chain = '{ type nat hook prerouting priority dstnat; }';
    machine.run('nft', `add table ip plain; add chain ip plain prerouting ${chain}`);
    for (const kind of Object.keys(PORTS)) {
      const to = `${address}:${PORTS[kind]}`;
      machine.run('nft', `add rule ip plain prerouting tcp dport ${PUBLISHED[kind]} dnat to ${to}`);
    }
  }
  const pair = [];
  for (const n of [2, 3]) {
    const one = await Network.make();
    pair.push(one);
    const peer = ['peer', 'name', 'eth0', 'netns', String(one.pid)];
    machine.run('ip', 'link', 'add', `veth${n}`, 'master', 'plain0', 'type', 'veth', ...peer);
    machine.run('ip', 'link', 'set', `veth${n}`, 'up');
    one.run('ip', 'address', 'add', `10.99.0.${n}/24`, 'dev', 'eth0');
    one.run('ip', 'link', 'set', 'eth0', 'up');
    one.run('ip', 'route', 'add', 'default', 'via', '10.99.0.1');
  }
  const published = name === RULED ? throughPort : { address, ports: PORTS };
  const end = () => [...pair, outside, machine].forEach((each) => void each.end());
  return { name, machine, pair, address, outside, published, end };
}

/** In this program's own namespace, so that the library can be asked. */
async function tsbox({ library, image }) {
  const machine = new Network();
  const outside = await makeOutside(machine);
  const boxes = [
    await library.runDetached(image, FOR_EVER, { network: 'bridge' }),
    await library.runDetached(image, FOR_EVER, { network: 'bridge', publish: publications }),
  ];
  const pair = boxes.map((box) => new Network(box.record().pid));
  const end = async () => {
    for (const box of boxes) await box.remove({ force: true });
    outside.end();
  };
  return {
    name: 'tsbox',
    machine,
    pair,
    address: addressOf(pair[1]),
    outside,
    published: throughPort,
    end,
  };
}

async function podman({ directory, rootfs, profile }) {
  need('podman', 'netavark', 'iptables');
  const machine = await Network.make();
  const outside = await makeOutside(machine);
  const place = join(directory, 'podman');
  const podman = (...args) =>
    machine.command(
      ...['podman', '--root', join(place, 'root'), '--runroot', join(place, 'run')],
      ...['--network-config-dir', join(place, 'networks'), ...args],
    );
  const some = [
    ...['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1024:1024', '--log-driver=k8s-file'],
    ...['--security-opt', `seccomp=${profile}`],
  ];
  const start = (network, more = []) =>
    podman('run', '--rm', `--network=${network}`, ...some, ...more, '--rootfs', `${rootfs}:O`, 'true');
  const detached = (more) =>
    podman('run', '-d', '--network=bridge', ...some, ...more, '--rootfs', `${rootfs}:O`, ...FOR_EVER);
  const ids = [detached([]), detached(flags)].map((command) => output(command).trim());
  const inspect = (id, format) => output(podman('inspect', '--format', format, id)).trim();
  const pair = ids.map((id) => new Network(Number(inspect(id, '{{.State.Pid}}'))));
  const end = () => {
    output(podman('rm', '-f', '-t', '0', ...ids));
    outside.end();
    machine.end();
  };
  return { name: 'podman', start, pair, address: addressOf(pair[1]), outside, published: throughPort, end };
}

/** A daemon of our own. Its containers' files are copies (vfs), which costs the same with a network and without. */
async function docker({ directory, tar }) {
  need('dockerd', 'docker', 'iptables');
  const machine = await Network.make();
  const outside = await makeOutside(machine);
  const place = join(directory, 'docker');
  mkdirSync(place);
  const socket = `unix://${join(place, 'socket')}`;
  const [program, ...args] = machine.command(
    ...['dockerd', '--data-root', join(place, 'data'), '--exec-root', join(place, 'exec')],
    ...['-p', join(place, 'pid'), '-H', socket, '--bip', '172.31.0.1/16', '--storage-driver', 'vfs'],
  );
  const daemon = spawn(program, args, { stdio: 'ignore' });
  const docker = (...args) => ['docker', '-H', socket, ...args];
  const end = async () => {
    daemon.kill('SIGTERM');
    for (let tries = 0; tries < 100 && daemon.exitCode === null; tries++) await sleep(100);
    outside.end();
    machine.end();
  };
  for (let tries = 0; spawnSync('docker', ['-H', socket, 'version']).status !== 0; tries++) {
    if (tries === 60 || daemon.exitCode !== null) {
      await end();
      throw new Error('docker: its daemon does not start here');
    }
    await sleep(500);
  }
  output(docker('import', tar, 'bench'));
  const start = (network, more = []) =>
    docker('run', '--rm', `--network=${network}`, ...more, 'bench', 'true');
  const ids = [[], flags].map((more) => output(docker('run', '-d', ...more, 'bench', ...FOR_EVER)).trim());
  const pid = (id) => Number(output(docker('inspect', '--format', '{{.State.Pid}}', id)));
  const pair = ids.map((id) => new Network(pid(id)));
  const stop = async () => {
    output(docker('rm', '-f', ...ids));
    await end();
  };
  return {
    name: 'docker',
    start,
    pair,
    address: addressOf(pair[1]),
    outside,
    published: throughPort,
    end: stop,
  };
}

const throughPort = { address: '192.0.2.1', ports: PUBLISHED };

function addressOf(network) {
  return /inet ([\d.]+)/.exec(network.run('ip', '-4', 'address', 'show', 'dev', 'eth0'))[1];
}

function output([program, ...args]) {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw error ?? new Error(`${program} ${args.join(' ')} gave ${status}: ${stderr}`);
  return stdout;
}

function need(...programs) {
  const missing = programs.filter((name) => !existsInPath(name));
  if (missing.length > 0) throw new Error(`${programs[0]}: without ${missing.join(', ')}`);
}

function existsInPath(name) {
  const script = 'PATH="$PATH:/usr/lib/podman:/usr/sbin" command -v "$0"';
  return spawnSync('sh', ['-c', script, name]).status === 0;
}
