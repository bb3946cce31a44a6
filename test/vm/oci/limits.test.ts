import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findCgroup } from '../../../src/cgroup/index.ts';
import { embeddedImage } from '../../../src/kernel/index.ts';
import { sampleConfig } from '../../../src/oci/sample-config.ts';

const runtime =
  process.env.TSBOX_TEST_OCI ?? join(import.meta.dirname, '..', '..', '..', 'dist', 'tsbox-oci.cjs');
const directory = mkdtempSync(join(tmpdir(), 'tsbox-oci-vm-'));
const bundle = join(directory, 'bundle');

/** Output goes to a file: the container has it too, and nobody waits for its end. */
function oci(...args: string[]): { status: number | null; output: string } {
  const file = join(directory, 'output');
  const out = openSync(file, 'w');
  const all = [runtime, '--root', join(directory, 'state'), ...args];
  const { status } = spawnSync(process.execPath, all, {
    cwd: bundle,
    stdio: ['ignore', out, out],
    timeout: 100_000,
  });
  closeSync(out);
  return { status, output: readFileSync(file, 'utf8') };
}

function configure(script: string, resources: object): void {
  // biome-ignore lint/suspicious/noExplicitAny: anything may be put into it
  const config: any = sampleConfig();
  Object.assign(config.process, { terminal: false, args: ['sh', '-c', script] });
  Object.assign(config.linux, { resources, cgroupsPath: '/oci-test/limited' });
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(config));
}

beforeAll(() => {
  mkdirSync(join(bundle, 'rootfs'), { recursive: true });
  expect(spawnSync('tar', ['-C', join(bundle, 'rootfs'), '-xf', embeddedImage()]).status).toBe(0);
});
afterAll(() => {
  oci('delete', '--force', 'limited');
  rmSync(directory, { recursive: true });
});

const MiB = 1024 * 1024;
const group = () => join(findCgroup().mountPoint, 'oci-test', 'limited');
const limit = (file: string) => readFileSync(join(group(), file), 'utf8').trim();

test('the limits of a configuration are those of the group; update changes them', () => {
  const cpu = { shares: 512, quota: 50_000, period: 100_000 };
  configure('sleep 1000', {
    memory: { limit: 64 * MiB, swap: 96 * MiB },
    cpu,
    pids: { limit: 30 },
    unified: { 'memory.high': String(48 * MiB) },
  });
  expect(oci('create', 'limited')).toEqual({ status: 0, output: '' });
  const files = ['memory.max', 'memory.high', 'cpu.max', 'pids.max'];
  expect(files.map(limit)).toEqual([String(64 * MiB), String(48 * MiB), '50000 100000', '30']);
  expect(oci('start', 'limited').status).toBe(0);

  expect(oci('update', '--memory', '100m', '--memory-swap', '200m', '--pids-limit', '50', 'limited')).toEqual(
    { status: 0, output: '' },
  );
  expect(files.map(limit)).toEqual([String(100 * MiB), String(48 * MiB), '50000 100000', '50']);
  const resources = join(directory, 'resources.json');
  writeFileSync(resources, JSON.stringify({ cpu: { quota: 20_000 } }));
  expect(oci('update', '--resources', resources, 'limited').status).toBe(0);
  expect(limit('cpu.max')).toBe('20000 100000');
  writeFileSync(resources, JSON.stringify({ cpu: { quota: 'x' } }));
  expect(oci('update', '--resources', resources, 'limited').output).toContain(
    'resources.cpu.quota: expected a whole number',
  );

  const { type, data } = JSON.parse(oci('events', '--stats', 'limited').output);
  expect(type).toBe('stats');
  expect(data.memory.usage.limit).toBe(100 * MiB);
  expect(data.pids).toMatchObject({ limit: 50 });
  expect(oci('delete', '--force', 'limited').status).toBe(0);
  expect(() => limit('memory.max')).toThrow('ENOENT');
});

test('a container that uses more memory than it may is killed', () => {
  configure('dd if=/dev/zero of=/dev/shm/x bs=1M count=60', { memory: { limit: 16 * MiB, swap: 16 * MiB } });
  expect(oci('run', 'limited').status).toBe(137);
});
