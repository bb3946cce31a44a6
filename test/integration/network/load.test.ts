import { type ChildProcess, execFile, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterEach, expect, test } from 'vitest';
import { removesAll, said } from '../life/support.ts';
import { leavesNothing } from '../support/leftovers.ts';
import { cli, describeRoot, environment, eventually, image } from '../support/tsbox.ts';
import { links } from './namespaces.ts';

const execute = promisify(execFile);

/** TSBOX_TEST_CROWD=1000 for a night's work. */
const CROWD = Number(process.env.TSBOX_TEST_CROWD ?? 200);

const missing = ['wrk', 'iperf3', 'ip'].filter((name) => spawnSync('which', [name]).status !== 0);
const describeLoad = missing.length === 0 ? describeRoot : skipped;

function skipped(name: string, tests: () => void): void {
  describeRoot(`${name} (some skipped: needs ${missing.join(', ')}: scripts/setup --test)`, tests);
}

/** This machine's programs in a container, with their libraries. */
const programs = (...paths: string[]) =>
  [...paths, '/lib', '/usr/lib', '/lib64'].flatMap((path) => ['-v', `${path}:${path}:ro`]);
const node = process.execPath;
const SERVER =
  "require('node:http').createServer((request, answer) => answer.end('hello')).listen(8080, '::')";

describeLoad('networks under load', () => {
  leavesNothing();
  removesNetworks();
  removesAll();

  test.skipIf(missing.length > 0)('iperf3 between containers: TCP and UDP, IPv4 and IPv6', async () => {
    said('network', 'create', '--ipv6', 'fast');
    said(
      'run',
      '-d',
      '--name',
      'server',
      '--network',
      'fast',
      ...programs('/usr/bin/iperf3'),
      image,
      '/usr/bin/iperf3',
      '-s',
    );
    const { IPAddress, GlobalIPv6Address } = JSON.parse(said('inspect', 'server'))[0].NetworkSettings.Networks
      .fast;
    for (const [address, ...flags] of [
      [IPAddress],
      [GlobalIPv6Address],
      [IPAddress, '-u', '-b', '20M'],
      [GlobalIPv6Address, '-u', '-b', '20M'],
      [IPAddress, '-R', '-P', '4'],
      ['server'],
    ]) {
      const client = [
        '/usr/bin/iperf3',
        '-J',
        '-t',
        '1',
        '--connect-timeout',
        '5000',
        '-c',
        address as string,
        ...flags,
      ];
      const report = JSON.parse(
        said('run', '--rm', '--network', 'fast', ...programs('/usr/bin/iperf3'), image, ...client),
      );
      expect(report.error).toBeUndefined();
      const { sum_received: received, sum } = report.end;
      expect((received ?? sum).bytes).toBeGreaterThan(1e6);
    }
  });

  test.skipIf(missing.length > 0)(
    'a container that is restarted under load of wrk is there again at once',
    { timeout: 120_000 },
    async () => {
      said(
        'run',
        '-d',
        '--name',
        'web',
        '--network',
        'bridge',
        '-p',
        '18080:8080',
        ...programs(node),
        image,
        node,
        '-e',
        SERVER,
      );
      const answers = async () =>
        fetch('http://127.0.0.1:18080').then(
          (answer) => answer.text(),
          () => '',
        );
      await until(answers, 'hello');
      const load = execute('wrk', [
        '-t',
        '1',
        '-c',
        '20',
        '-d',
        '8s',
        '--timeout',
        '2s',
        'http://127.0.0.1:18080',
      ]);
      for (let time = 0; time < 3; time++) {
        said('restart', '-t', '0', 'web');
        await until(answers, 'hello');
      }
      const { stdout } = await load;
      expect(Number(/(\d+) requests in/.exec(stdout)?.[1])).toBeGreaterThan(100);
      expect(links().filter((name) => name.startsWith('veth'))).toHaveLength(1);
      said('rm', '-f', 'web');
      expect(await answers()).toBe('');
      await eventually(() => links().every((name) => !name.startsWith('veth')), 'no veth left');
    },
  );

  test(`${CROWD} containers on one bridge reach each other`, { timeout: 60_000 + CROWD * 1000 }, async () => {
    said('network', 'create', '--subnet', '10.77.0.0/16', 'crowd');
    const crowd = new Crowd('crowd', CROWD);
    const started = await crowd.started;
    expect(new Set(started.map(({ address }) => address)).size).toBe(CROWD);
    expect(links().filter((name) => name.startsWith('veth'))).toHaveLength(CROWD);
    // From the first to each of the others: who is there says its own name.
    const [first, ...others] = started as [Started, ...Started[]];
    const script = 'for address; do nc -w 10 "$address" 80 </dev/null; done';
    const names = said('exec', first.id, 'sh', '-c', script, 'sh', ...others.map(({ address }) => address));
    expect(names.split('\n')).toEqual(others.map(({ id }) => id.slice(0, 12)));
    await crowd.end();
    await eventually(() => links().every((name) => !name.startsWith('veth')), 'no veth left', 60);
  });

  test('two programs that start containers at once, in a network whose bridge is not made yet', {
    timeout: 120_000,
  }, async () => {
    said('network', 'create', 'shared');
    const crowds = [new Crowd('shared', 20), new Crowd('shared', 20)];
    const started = (await Promise.all(crowds.map((crowd) => crowd.started))).flat();
    expect(new Set(started.map(({ address }) => address)).size).toBe(40);
    expect(links().filter((name) => name.startsWith('br-'))).toHaveLength(1);
    for (const crowd of crowds) await crowd.end();
  });
});

interface Started {
  id: string;
  address: string;
}

/** A program of its own with containers in it, which say their names to whoever connects. */
class Crowd {
  readonly started: Promise<Started[]>;
  readonly #program: ChildProcess;

  constructor(network: string, count: number) {
    const head = `import * as library from ${JSON.stringify(join(dirname(cli), 'index.js'))};`;
    const command = ['--input-type=module', '-e', head + CROWDED, '--', network, image, String(count)];
    this.#program = spawn(process.execPath, command, {
      env: environment(),
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.started = text(this.#program.stdout as Readable).then((said) => JSON.parse(said));
  }

  async end(): Promise<void> {
    this.#program.stdin?.end();
    const [code] = await once(this.#program, 'exit');
    expect(code).toBe(0);
  }
}

/** Starts them eight at a time, says which and where they are, and ends them when its standard input ends. */
const CROWDED = `
  import { once } from 'node:events';
  const [network, image, count] = process.argv.slice(1);
  const quiet = { stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' };
  const serve = 'while :; do echo $HOSTNAME | nc -l -p 80; done';
  const boxes = [];
  let left = Number(count);
  await Promise.all(Array.from({ length: 8 }, async () => {
    while (left-- > 0) boxes.push(await library.run(image, ['sh', '-c', serve], { network, ...quiet }));
  }));
  const started = boxes.map(async ({ id }) => {
    const { NetworkSettings } = await (await library.container(id)).inspect();
    return { id, address: NetworkSettings.Networks[network].IPAddress };
  });
  process.stdout.end(JSON.stringify(await Promise.all(started)));
  process.stdin.resume();
  await once(process.stdin, 'end');
  for (const box of boxes) box.kill('SIGKILL');
  await Promise.all(boxes.map((box) => box.wait()));
  process.exit();`;

async function until(answers: () => Promise<string>, wanted: string): Promise<void> {
  for (const deadline = Date.now() + 15_000; (await answers()) !== wanted; ) {
    if (Date.now() > deadline)
      throw new Error(`no answer: ${execFileSync('ip', ['address'], { encoding: 'utf8' })}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function removesNetworks(): void {
  afterEach(() => {
    const ids = said('network', 'ls', '-q', '-f', 'type=custom').split('\n').filter(Boolean);
    if (ids.length > 0) said('network', 'rm', ...ids);
  });
}
