import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { nativeFile } from '../../../src/kernel/native.ts';

// What it does with a container is in test/integration/life/: that takes root, and a plan.
const monitor = nativeFile('monitor');

test('sleeps and then becomes the command, with descriptor 3 and nothing else, signals as they usually are', async () => {
  const script = 'ls /proc/self/fd; grep -E "^Sig(Blk|Ign)" /proc/self/status >&3; echo $ONLY >&3';
  const child = spawn(monitor, ['sleep', '50', '/bin/sh', '-c', `sh -c '${script}' >&3`], {
    stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
    env: { ONLY: 'this' },
  });
  const said = text(child.stdio[3] as NodeJS.ReadableStream);
  const [code] = await once(child, 'exit');
  expect(code).toBe(0);
  const [zero, one, two, three, directory, blocked, ignored, only] = (await said).trim().split('\n');
  expect([zero, one, two, three]).toEqual(['0', '1', '2', '3']);
  expect(Number(directory)).toBeGreaterThan(3);
  expect(blocked).toBe('SigBlk:\t0000000000000000');
  // A shell may ignore SIGQUIT (bit 2) itself.
  expect(ignored).toMatch(/^SigIgn:\t000000000000000[04]$/);
  expect(only).toBe('this');
});

test('is deaf while it sleeps, and forgets what it did not hear', async () => {
  const child = spawn(monitor, ['sleep', '400', '/bin/sh', '-c', 'exit 7'], { stdio: 'ignore' });
  while (readFileSync(`/proc/${child.pid}/comm`, 'latin1') !== 'tsbox-monitor\n')
    await new Promise(setImmediate);
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1', 'SIGQUIT'] as const) child.kill(signal);
  expect(await once(child, 'exit')).toEqual([7, null]);
});

test.each([[], ['run'], ['sleep', '10'], ['dance', '1', '2', '3'], ['run', ...'1234567890'.split('')]])(
  'is told wrongly: %j',
  async (...args) => {
    const child = spawn(monitor, args.flat(), { stdio: 'ignore' });
    expect((await once(child, 'exit'))[0]).toBe(125);
  },
);

test('takes less than 64 KiB', async () => {
  const child = spawn(monitor, ['sleep', '60000', '/bin/true'], { stdio: 'ignore' });
  while (readFileSync(`/proc/${child.pid}/comm`, 'latin1') !== 'tsbox-monitor\n')
    await new Promise(setImmediate);
  const pss = Number(/^Pss: +(\d+) kB/m.exec(readFileSync(`/proc/${child.pid}/smaps_rollup`, 'latin1'))?.[1]);
  expect(pss).toBeGreaterThan(0);
  expect(pss).toBeLessThan(64);
  child.kill('SIGKILL');
  await once(child, 'exit');
});
