import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..', '..');
const built = existsSync(join(root, 'dist', 'types'));

describe.skipIf(!built)(`the types that a program sees${built ? '' : ' (skipped: npm run build)'}`, () => {
  let directory: string;

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'tsbox-types-'));
    mkdirSync(join(directory, 'node_modules', '@types'), { recursive: true });
    symlinkSync(root, join(directory, 'node_modules', 'tsbox'));
    symlinkSync(
      join(root, 'node_modules', '@types', 'node'),
      join(directory, 'node_modules', '@types', 'node'),
    );
    writeFileSync(join(directory, 'package.json'), '{"type":"module"}');
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  function errors(source: string): string {
    writeFileSync(join(directory, 'program.ts'), source);
    const flags = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess'];
    const target = [
      '--module',
      'nodenext',
      '--target',
      'es2022',
      '--lib',
      'es2023,esnext.disposable',
      '--types',
      'node',
    ];
    const { stdout } = spawnSync(
      join(root, 'node_modules', '.bin', 'tsc'),
      [...flags, ...target, 'program.ts'],
      {
        cwd: directory,
        encoding: 'utf8',
      },
    );
    return stdout;
  }

  test('a program that uses everything', () => {
    expect(
      errors(`
        import type { Duplex, Readable, Writable } from 'node:stream';
        import { type Check, type Container, type ContainerRecord, type ContainerStats, doctor, type ExitStatus, explain,
          findImage, formatPlan, importImage, type Info, info, KernelError, listContainers, listImages, type Plan, planToJson,
          removeContainer, removeImage, run, type RunOptions, type StartOptions, type StoredImage, sweep, TsboxError } from 'tsbox';

        const limits: RunOptions = { memory: '64m', memorySwap: -1, cpus: 0.5, pidsLimit: 100, name: 'web', env: { A: 'b', HOME: undefined } };
        const options: StartOptions = { ...limits, stdin: 'ignore', stdout: 'pipe', stderr: 'inherit', signal: AbortSignal.timeout(1000) };
        await using box: Container = await run('alpine', ['sh', '-c', 'echo hi'], options);
        for await (const chunk of box.stdout ?? []) process.stdout.write(chunk);
        const streams: [Writable | null, Readable | null, Readable | null, Duplex | null] = [box.stdin, box.stdout, box.stderr, box.terminal];
        const stats: ContainerStats = await box.stats();
        const bytes: number | undefined = stats.memory?.current;
        await box.kill('SIGTERM');
        await box.kill(9);
        box.resize({ columns: 80, rows: 24 });
        const status: ExitStatus = await box.wait();
        const { code, signal, oomKilled, memoryLimit }: { code: number; signal?: string; oomKilled: boolean; memoryLimit?: number } = await box.stop();
        try {
          await run('alpine');
        } catch (error) {
          if (error instanceof KernelError) console.log(error.syscall, error.errno, error.path);
          else if (error instanceof TsboxError) console.log(error.code, error.exitCode, error.advice);
        }
        const plan: Plan = explain('alpine', ['true'], limits);
        const text: string = formatPlan(plan);
        const records: ContainerRecord[] = listContainers();
        const image: StoredImage = await importImage(process.stdin, 'mine');
        const images: StoredImage[] = [findImage('mine'), ...listImages()];
        const facts: Info = info();
        const checks: Check[] = await doctor();
        const id: string = await removeContainer('web', { force: true });
        const { untagged }: { untagged: string[] } = await removeImage('mine');
        sweep();
        console.log(streams, bytes, status, code, signal, oomKilled, memoryLimit, text, planToJson(plan), records, image, images, facts, checks, id, untagged);
      `),
    ).toBe('');
  });

  test('a program that uses networks', () => {
    expect(
      errors(`
        import { connectNetwork, type ConnectOptions, createNetwork, disconnectNetwork, explainNetwork, inspectNetwork, listNetworks, type Network, type NetworkDetails,
          type NetworkFilters, type NetworkMember, type NetworkOptions, type NetworkPart, type NetworkWork, pruneNetworks, removeNetwork, run, type RunOptions, type Subnet } from 'tsbox';

        const asked: NetworkOptions = { driver: 'bridge', subnets: ['10.5.0.0/24'], gateways: ['10.5.0.1'], ipRanges: ['10.5.0.128/25'], auxiliaryAddresses: { router: '10.5.0.129' }, ipv6: true, internal: false,
          options: { mtu: '1400' }, labels: { a: 'b' } };
        const made: Network = await createNetwork('backend', asked);
        const [first]: Subnet[] = made.subnets;
        const options: RunOptions = { network: ['backend:alias=db', 'bridge'], ip: '10.5.0.9', ip6: 'fd00::9', macAddress: '02:00:00:00:00:01', networkAlias: ['db'],
          dns: ['9.9.9.9'], dnsSearch: ['.'], dnsOption: ['ndots:2'], addHost: ['db:host-gateway'] };
        await using box = await run('alpine', ['true'], options);
        const wish: ConnectOptions = { ip: '10.5.0.10', aliases: ['other'] };
        await connectNetwork(box.id, made.id, wish);
        await disconnectNetwork(box.id, 'backend', { force: true });
        const filters: NetworkFilters = { driver: ['bridge'], dangling: true, 'label!': ['a=b'] };
        const all: NetworkDetails[] = await listNetworks(filters);
        const members: NetworkMember[] = (await inspectNetwork('backend')).containers;
        await removeNetwork('backend', { force: true });
        const { deleted }: { deleted: string[] } = await pruneNetworks(filters);
        const work: NetworkWork | undefined = await explainNetwork('alpine', options);
        const texts = (work?.parts ?? []).map((part: NetworkPart) => part.by === 'nft' ? part.commands[0]?.text : part.by === 'sysctl' ? part.settings[0]?.path : part.messages[0]?.attributes.name);
        console.log(first?.gateway, all[0]?.driver === 'null', members[0]?.addresses.length, deleted, texts);
      `),
    ).toBe('');
  });

  test('refuse what is wrong', () => {
    const wrong = [
      ["await run('alpine', 'true');", 'TS2345'],
      ["await run('alpine', [], { memory: true });", 'TS2322'],
      ["await run('alpine', [], { network: 5 });", 'TS2322'],
      ["await run('alpine', [], { memoryLimit: '64m' });", 'TS2353'],
      ["await run('alpine', [], { stdin: 'tty' });", 'TS2322'],
      ["(await run('alpine')).stdout.pipe(process.stdout);", 'TS2531'],
      ["(await run('alpine')).pid = 3;", 'TS2540'],
    ] as const;
    const found = errors(["import { run } from 'tsbox';", ...wrong.map(([line]) => line)].join('\n'));
    const codes = [...found.matchAll(/^program\.ts\((\d+),\d+\): error (TS\d+)/gm)];
    expect(codes.map(([, line, code]) => `${line} ${code}`)).toEqual(
      wrong.map(([, code], index) => `${index + 2} ${code}`),
    );
  });
});
