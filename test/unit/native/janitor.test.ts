import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { nativeFile } from '../../../src/kernel/native.ts';

const janitor = nativeFile('janitor');
let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'tsbox-janitor-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const ended = (child: ChildProcess) => new Promise<number | null>((resolve) => child.on('close', resolve));
const spawnJanitor = (...args: string[]) => spawn(janitor, args, { stdio: ['pipe', 'ignore', 'ignore'] });

/** Until it waits in read(2). */
async function asleep(pid: number) {
  while (!/^State:\tS/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))) await pause(5);
}
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function appears(path: string) {
  for (let waited = 0; waited < 5000 && !existsSync(path); waited += 20) await pause(20);
  return existsSync(path);
}

test('becomes the command when the pipe ends without a farewell', async () => {
  const file = join(directory, 'swept');
  const child = spawnJanitor('/bin/sh', '-c', `echo "$0 $1" >${file}; exit 3`, 'first', 'second');
  child.stdin?.end('x');
  expect(await ended(child)).toBe(3);
  expect(readFileSync(file, 'utf8')).toBe('first second\n');
});

test('ends in silence after the farewell', async () => {
  const file = join(directory, 'not-swept');
  const child = spawnJanitor('/bin/sh', '-c', `echo >${file}`);
  child.stdin?.end('q');
  expect(await ended(child)).toBe(0);
  expect(existsSync(file)).toBe(false);
});

test('waits while the pipe is open, also after the farewell', async () => {
  const child = spawnJanitor('/bin/false');
  child.stdin?.write('q');
  await pause(100);
  expect(child.exitCode).toBe(null);
  child.stdin?.end();
  expect(await ended(child)).toBe(0);
});

test('sweeps after a process that was killed with SIGKILL', async () => {
  const file = join(directory, 'killed');
  const script = `
    require('node:child_process').spawn(${JSON.stringify(janitor)},
      ['/bin/sh', '-c', ${JSON.stringify(`echo >${file}`)}], { stdio: ['pipe', 'ignore', 'ignore'] });
    process.stdout.write('ready');
    setInterval(() => {}, 1000);`;
  const node = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve) => node.stdout?.once('data', resolve));
  expect(existsSync(file)).toBe(false);
  node.kill('SIGKILL');
  expect(await appears(file)).toBe(true);
});

test('keeps to itself: own session, no descriptors but the pipe, no directory busy, deaf to the terminal', async () => {
  const child = spawn(janitor, ['/bin/true'], { stdio: ['pipe', 'pipe', 'pipe', 'pipe'], cwd: directory });
  const pid = child.pid as number;
  await asleep(pid);
  await pause(50);
  const descriptors = readdirSync(`/proc/${pid}/fd`).map((fd) => [fd, readlinkSync(`/proc/${pid}/fd/${fd}`)]);
  expect(descriptors).toEqual([
    ['0', expect.stringMatching(/^(pipe|socket):/)],
    ['1', '/dev/null'],
    ['2', '/dev/null'],
  ]);
  expect(readlinkSync(`/proc/${pid}/cwd`)).toBe('/');
  // pid (comm) state ppid pgrp session
  expect(readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[5]).toBe(String(pid));
  for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM', 'SIGPIPE'] as const) child.kill(signal);
  await pause(50);
  expect(child.exitCode ?? child.signalCode).toBe(null);

  child.stdin?.end('q');
  expect(await ended(child)).toBe(0);
});

test('takes less than 64 KiB', async () => {
  const child = spawnJanitor('/bin/true');
  await asleep(child.pid as number);
  const pss = /^Pss: +(\d+) kB/m.exec(readFileSync(`/proc/${child.pid}/smaps_rollup`, 'utf8'));
  expect(Number(pss?.[1])).toBeGreaterThan(0);
  expect(Number(pss?.[1])).toBeLessThan(64);
  child.stdin?.end('q');
  await ended(child);
});

test('the command can be interrupted again', async () => {
  const file = join(directory, 'ignored');
  const child = spawnJanitor('/bin/sh', '-c', `grep SigIgn /proc/self/status >${file}`);
  child.stdin?.end();
  expect(await ended(child)).toBe(0);
  expect(readFileSync(file, 'utf8')).toBe('SigIgn:\t0000000000000000\n');
});
