import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import {
  copyToContainer,
  inspectContainer,
  pauseContainer,
  run,
  type StartOptions,
  sampleContainers,
  unpauseContainer,
  updateContainer,
} from '../../../src/index.ts';
import { expectNothingLeft, makePlace } from '../../fixtures/leftovers.ts';

const place = makePlace();
process.env.TSBOX_ROOT = place.root;
afterEach(() => expectNothingLeft(place));
afterAll(() => place.remove());

const start = (command: string[], options: StartOptions = {}) =>
  run('busybox', command, { cgroupParent: place.cgroupParent, ...options });

test('update: the kernel has the new limits at once, and inspect says them', async () => {
  await using box = await start(['sleep', '1000'], { memory: '64m', pidsLimit: 50 });
  const file = (name: string) => readFileSync(join(place.cgroup, box.id, name), 'utf8').trim();
  await updateContainer(box.id, { memory: '96m', memorySwap: '96m', pidsLimit: 20, cpus: 0.5 });
  expect(file('memory.max')).toBe(String(96 << 20));
  expect(file('pids.max')).toBe('20');
  expect(file('cpu.max')).toBe('50000 100000');
  const { HostConfig } = await inspectContainer(box.id);
  expect(HostConfig).toMatchObject({ Memory: 96 << 20, PidsLimit: 20, NanoCpus: 500_000_000 });
  await updateContainer(box.id, { cpuShares: 512 });
  expect(file('cpu.max')).toBe('50000 100000');
  expect(Number(file('cpu.weight'))).toBeLessThan(100);
});

test('update: a limit that cannot be meant leaves all of them as they were', async () => {
  await using box = await start(['sleep', '1000'], { memory: '64m' });
  const maximum = () => readFileSync(join(place.cgroup, box.id, 'memory.max'), 'utf8').trim();
  await expect(updateContainer(box.id, { memory: '32m', cpusetCpus: '4000' })).rejects.toThrow(
    'not available',
  );
  expect(maximum()).toBe(String(64 << 20));
  expect((await inspectContainer(box.id)).HostConfig.Memory).toBe(64 << 20);
});

test('an exec in a container whose memory is used up fails by itself; whoever asked lives', async () => {
  const script = 'dd if=/dev/zero of=/dev/shm/full bs=1M count=40 2> /dev/null; echo full; sleep 1000';
  await using box = await start(['sh', '-c', script], { memory: '24m', memorySwap: '24m', shmSize: '100m' });
  for (let attempt = 0; attempt < 20; attempt++) {
    const program = await box
      .exec(['/bin/true'], { stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' })
      .catch(() => {});
    await program?.wait();
  }
  expect(process.pid).toBeGreaterThan(0);
});

test('stats: memory, processes and processor time as the kernel counts them', async () => {
  const script = 'while :; do :; done & dd if=/dev/zero of=/dev/shm/file bs=1M count=20 2> /dev/null; wait';
  await using box = await start(['sh', '-c', script], { memory: '64m', cpus: 0.5 });
  let samples = 0;
  for await (const [sample] of sampleContainers([box.id], { interval: 1000 })) {
    expect(sample).toMatchObject({ id: box.id, running: true, pids: 2 });
    expect(sample?.memory?.limit).toBe(64 << 20);
    if (samples++ < 2) continue;
    expect(sample?.memory?.usage).toBeGreaterThan(20 << 20);
    expect(sample?.cpuPercent).toBeGreaterThan(10);
    expect(sample?.cpuPercent).toBeLessThan(75);
    expect(sample?.cgroup.cpu?.throttledPeriods).toBeGreaterThan(0);
    break;
  }
});

test('paused, its processor time stands still', async () => {
  await using box = await start(['sh', '-c', 'while :; do :; done']);
  await pauseContainer(box.id);
  const usage = async () => (await box.stats()).cpu?.usageUsec;
  const before = await usage();
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(await usage()).toBe(before);
  await unpauseContainer(box.id);
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(await usage()).toBeGreaterThan(before ?? 0);
});

test('a copy into a container with a read-only root is refused', async () => {
  await using box = await start(['sleep', '1000'], { readOnly: true });
  await expect(copyToContainer(box.id, '/etc/hostname', '/root/x')).rejects.toThrow('EROFS');
});
