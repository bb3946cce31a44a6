/**
 * Containers with a network: what it costs to start one, and what comes through it, beside podman, Docker (where its daemon starts) and a bridge with veth pairs
 * made with `ip`. A part of `npm run bench`; alone:
 *
 *   node bench/network.mjs [--rounds 15] [--megabytes 128] [--many 200] [--write]
 *
 * writes its section of docs/performance.md (`--write`) or prints it. It works in network namespaces of its own, and leaves the machine's alone. Needs root,
 * iproute2, iperf3, nftables, and `npm run build` before.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Network, setBridgeFilter } from './network-host.mjs';
import { findPeers, PORTS, RULED } from './network-peers.mjs';
import { formatNetwork, HEADING } from './network-report.mjs';
import { inPairs } from './pairs.mjs';
import { inPlace } from './place.mjs';
import { prepareBench, root } from './setup.mjs';
import { timeProcess } from './starts.mjs';
import { writeSection } from './write-section.mjs';

export { HEADING };

/** @returns the section, in Markdown. This runs itself again, in a new network namespace, with a store of its own. */
export function networkSection(directory, flags = []) {
  const own = mkdtempSync(join(directory, 'network-'));
  const env = {
    ...process.env,
    TSBOX_BENCH_NETWORK: '1',
    TSBOX_BENCH_DIRECTORY: own,
    TSBOX_ROOT: join(own, 'store'),
  };
  const self = [process.execPath, fileURLToPath(import.meta.url), ...flags];
  const { status, stdout } = spawnSync('unshare', ['--net', ...self], {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
    env,
  });
  rmSync(own, { recursive: true, force: true });
  if (status !== 0) throw new Error('bench/network.mjs failed');
  return stdout.trimEnd();
}

async function measure(directory, { rounds, megabytes, many }) {
  execFileSync('ip', ['link', 'set', 'lo', 'up']);
  const tar = join(root, 'dist', 'images', `busybox-linux-${process.arch}.tar`);
  const setup = await prepareBench(directory, tar);
  const roundTrip = join(directory, 'round-trip');
  execFileSync('cc', ['-O2', '-o', roundTrip, join(root, 'bench', 'round-trip.c')]);
  const peers = await findPeers(setup);
  const servers = [];
  try {
    for (const { pair } of peers) servers.push(...(await startServers(pair[1], roundTrip)));
    const own = await measureOwnStarts(setup, rounds * 4);
    const starts = await measureStarts(setup, peers, rounds);
    const way = { megabytes, roundTrip };
    const traffic = await measureTraffic(peers, rounds, way);
    const paths = await measurePaths(peers, rounds * 6, way);
    const crowd = await measureCrowd(setup, peers, { many, rounds, way });
    return formatNetwork({ rounds, megabytes, many, own, starts, traffic, paths, crowd });
  } finally {
    for (const server of servers) server.kill('SIGKILL');
    for (const peer of peers) await peer.end();
  }
}

/**
 * Before all ordinary processes of the machine (chrt(1)), and each on a processor of its own, the two ends of the round trips on the same one (taskset(1)): otherwise its
 * other work, and where the scheduler happens to put the two, would decide what is measured.
 */
const ahead = (processor) => ['chrt', '--fifo', '10', 'taskset', '--cpu-list', String(processor)];
const LAST = cpus().length - 1;
const CLIENT = ahead(0);
const SERVER = ahead(LAST);

async function startServers(network, roundTrip) {
  return [
    await network.serve(...SERVER, 'iperf3', '--server', '--forceflush', '--port', String(PORTS.throughput)),
    await network.serve(...SERVER, roundTrip, 'serve', String(PORTS.latency)),
  ];
}

/** `true` in a new container, from this program with the library. @returns what measures it once */
function inProgram({ library, image }, options) {
  return async () => {
    const began = performance.now();
    const quiet = { stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' };
    const box = await library.run(image, ['true'], { ...options, ...quiet });
    const exec = performance.now() - began;
    await box.wait();
    return { exec, end: performance.now() - began };
  };
}

/** With a network and without, in pairs. */
function measureOwnStarts(setup, pairs) {
  const [within, without] = ['bridge', 'none'].map((network) => inProgram(setup, { network }));
  return inPairs(within, without, pairs, { rest: 100 });
}

/** `true` in a new container: from this program with the library, and the others' commands, each with a network and without. */
async function measureStarts(setup, peers, rounds) {
  const command =
    (...args) =>
    async () => ({ end: await timeProcess(args) });
  const cli = [process.execPath, join(root, 'dist', 'tsbox.cjs'), 'run', '--rm'];
  const port = ['-p', '18080:80'];
  const subjects = [
    ['tsbox, from a program', inProgram(setup, { network: 'none' }), inProgram(setup, { network: 'bridge' })],
    [
      'the same, with a published port',
      inProgram(setup, { network: 'none' }),
      inProgram(setup, { network: 'bridge', publish: ['18080:80'] }),
    ],
    [
      'tsbox run',
      command(...cli, '--network=none', setup.image, 'true'),
      command(...cli, '--network=bridge', setup.image, 'true'),
    ],
    ...peers
      .filter(({ start }) => start)
      .flatMap(({ name, start }) => [
        [`${name} run`, command(...start('none')), command(...start('bridge'))],
        [`${name} run, with a published port`, command(...start('none')), command(...start('bridge', port))],
      ]),
  ].map(([name, without, within]) => ({ name, without, within, times: { without: [], within: [] } }));
  for (let round = -3; round < rounds; round++) {
    for (const subject of subjects) {
      // The slow ones less often.
      if (round >= rounds / 3 && /^(podman|docker)/.test(subject.name)) continue;
      for (const kind of ['without', 'within']) {
        const time = await subject[kind]();
        if (round >= 0) subject.times[kind].push(time);
        // What the kernel takes apart afterwards is not the next one's.
        await sleep(100);
      }
    }
  }
  return subjects.map(({ name, times }) => ({ name, ...times }));
}

/** Between two containers, and from outside through a published port: bits a second, and microseconds there and back. In turn within each round. */
async function measureTraffic(peers, rounds, way) {
  const results = Object.fromEntries(peers.map(({ name }) => [name, { direct: [], published: [] }]));
  for (let round = 0; round < rounds; round++) {
    for (const { name, pair, address, outside, published } of turned(peers, round)) {
      results[name].direct.push(await measurePath(pair[0], address, PORTS, way));
      results[name].published.push(await measurePath(outside, published.address, published.ports, way));
    }
  }
  return results;
}

/** tsbox beside what it is to be as good as, in pairs; and two that are the same beside each other, for what the machine itself makes of that. */
async function measurePaths(peers, pairs, way) {
  const [plain, ruled, tsbox] = ['plain', RULED, 'tsbox'].map((wanted) =>
    peers.find(({ name }) => name === wanted),
  );
  const direct =
    ({ pair, address }) =>
    () =>
      measurePath(pair[0], address, PORTS, way);
  const published = (peer) => () =>
    measurePath(peer.outside, peer.published.address, peer.published.ports, way);
  const all = [plain, ruled, tsbox];
  const filters = all.map(({ machine }) => setBridgeFilter(machine, true)).includes(true);
  const filtered = filters && (await inPairs(direct(tsbox), direct(plain), pairs, CLOSE));
  for (const { machine } of all) setBridgeFilter(machine, false);
  return {
    filtered,
    direct: await inPairs(direct(tsbox), direct(plain), pairs, CLOSE),
    same: await inPairs(direct(ruled), direct(plain), pairs, CLOSE),
    published: await inPairs(published(tsbox), published(ruled), pairs, CLOSE),
    routed: await inPairs(published(tsbox), published(plain), pairs, CLOSE),
  };
}

/** Pairs without a rest: nothing is taken apart after them. */
const CLOSE = { warmUp: 1, rest: 0 };

async function measurePath(from, address, ports, { megabytes, roundTrip }) {
  const port = String(ports.throughput);
  const flags = ['--json', '--bytes', `${megabytes}M`, '--port', port];
  const report = JSON.parse(await from.ask(...CLIENT, 'iperf3', '--client', address, ...flags));
  const microseconds = Number(
    await from.ask(...SERVER, roundTrip, 'ask', address, String(ports.latency), '5000'),
  );
  return { bits: report.end.sum_received.bits_per_second, microseconds };
}

/** Many containers on one bridge: starting the last ones, and what comes through between two of them, beside the plain pair. */
async function measureCrowd({ library, image }, peers, { many, rounds, way }) {
  const [plain, tsbox] = ['plain', 'tsbox'].map((wanted) => peers.find(({ name }) => name === wanted));
  const starts = [];
  const boxes = [];
  try {
    while (boxes.length < many - 2) {
      const began = performance.now();
      boxes.push(await library.runDetached(image, ['sleep', '1000000'], { network: 'bridge' }));
      starts.push(performance.now() - began);
    }
    const last = new Network(boxes.at(-1)?.record().pid);
    const measure = (from, address) => () => measurePath(from, address, PORTS, way);
    const paths = await inPairs(
      measure(last, tsbox.address),
      measure(plain.pair[0], plain.address),
      rounds * 6,
      CLOSE,
    );
    return { starts, paths };
  } finally {
    for (const box of boxes) await box.remove({ force: true });
  }
}

/** Another one first in each round. */
function turned(list, by) {
  const at = by % list.length;
  return [...list.slice(at), ...list.slice(0, at)];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '15' },
      megabytes: { type: 'string', default: '128' },
      many: { type: 'string', default: '200' },
      write: { type: 'boolean', default: false },
    },
  });
  const { rounds, megabytes, many } = values;
  process.exitCode = await inPlace(async (directory) => {
    if (process.env.TSBOX_BENCH_NETWORK === undefined) {
      const section = networkSection(directory, [
        '--rounds',
        rounds,
        '--megabytes',
        megabytes,
        '--many',
        many,
      ]);
      console.log(section);
      if (values.write) writeSection(HEADING, `${section}\n`);
      return 0;
    }
    const options = { rounds: Number(rounds), megabytes: Number(megabytes), many: Number(many) };
    console.log(await measure(directory, options));
    return 0;
  });
}
