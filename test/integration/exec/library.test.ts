import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, expect, test } from 'vitest';
import { exec, run, runDetached, TsboxError } from '../../../src/index.ts';
import { descriptors, expectNothingLeft, makePlace, zombies } from '../../fixtures/leftovers.ts';
import { describeRoot } from '../support/tsbox.ts';

describeRoot('exec of the library', () => {
  const place = makePlace();
  process.env.TSBOX_ROOT = place.root;
  afterEach(async () => {
    await expectNothingLeft(place);
    expect(zombies()).toEqual([]);
  });
  afterAll(() => place.remove());
  const start = (command = ['sleep', '1000']) =>
    run('busybox', command, { cgroupParent: place.cgroupParent });
  const ignored = { stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' } as const;

  test('streams, status, signals', async () => {
    await using box = await start();
    const cat = await box.exec(['cat']);
    cat.stdin?.end('typed');
    expect(await text(cat.stdout as Readable)).toBe('typed');
    expect(await cat.wait()).toEqual({ code: 0 });
    const sleeping = await exec(box.name, ['sleep', '1000'], ignored);
    expect(sleeping.pid).toBeGreaterThan(1);
    await sleeping.kill('SIGTERM');
    expect(await sleeping.wait()).toEqual({ code: 143, signal: 'SIGTERM' });
    await expect(sleeping.kill()).rejects.toThrow('is not running');
  });

  test('await using ends it; the container goes on', async () => {
    await using box = await start();
    let pid: number;
    {
      await using program = await box.exec(['sleep', '1000'], ignored);
      pid = program.pid;
    }
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    expect(await (await box.exec(['true'], ignored)).wait()).toEqual({ code: 0 });
  });

  test('an AbortSignal kills it, or keeps it from starting', async () => {
    await using box = await start();
    const controller = new AbortController();
    const program = await box.exec(['sleep', '1000'], { ...ignored, signal: controller.signal });
    controller.abort();
    expect(await program.wait()).toEqual({ code: 137, signal: 'SIGKILL' });
    await expect(box.exec(['true'], { signal: controller.signal })).rejects.toThrow('abort');
  });

  test('fifty at once, and no descriptor stays', async () => {
    await using box = await start();
    await (await box.exec(['true'], ignored)).wait();
    const before = descriptors();
    const programs = await Promise.all(
      Array.from({ length: 50 }, (_, index) => box.exec(['sh', '-c', `exit ${index}`], ignored)),
    );
    const codes = await Promise.all(programs.map((program) => program.wait()));
    expect(codes.map(({ code }) => code)).toEqual(Array.from({ length: 50 }, (_, index) => index));
    for (let attempt = 0; attempt < 20; attempt++)
      await expect(box.exec(['no-such-program'])).rejects.toBeInstanceOf(TsboxError);
    expect(descriptors()).toEqual(before);
  });

  test('equal ones, one after another and at once, whatever has changed between them', async () => {
    await using box = await start();
    const code = async () => (await (await box.exec(['/tmp/program'], ignored)).wait()).code;
    const shell = async (script: string) =>
      expect(await (await box.exec(['sh', '-c', script], ignored)).wait()).toEqual({ code: 0 });
    await shell("printf '#!/bin/sh\nexit 3\n' > /tmp/program; chmod +x /tmp/program");
    // By then nobody may have changed the configuration a moment ago.
    await new Promise((resolve) => setTimeout(resolve, 100));
    for (let time = 0; time < 3; time++) expect(await code()).toBe(3);
    await shell('mv /tmp/program /tmp/aside');
    for (let time = 0; time < 2; time++) await expect(code()).rejects.toMatchObject({ exitCode: 127 });
    await shell('sed s/3/4/ /tmp/aside > /tmp/program; chmod -x /tmp/program');
    await expect(code()).rejects.toMatchObject({ exitCode: 126 });
    await shell('chmod +x /tmp/program');
    expect(await Promise.all(Array.from({ length: 20 }, code))).toEqual(Array(20).fill(4));
    const outputs = Array.from({ length: 10 }, async () => {
      const program = await box.exec(['sh', '-c', 'echo $$']);
      const [pid] = await Promise.all([text(program.stdout as Readable), program.wait()]);
      return pid;
    });
    expect(new Set(await Promise.all(outputs)).size).toBe(10);
  });

  test('equal ones in a container that was started again and has another configuration', async () => {
    const box = await runDetached('busybox', ['sleep', '1000'], { cgroupParent: place.cgroupParent });
    try {
      const limit = async () => {
        const program = await box.exec(['sh', '-c', 'ulimit -n; cat /proc/1/comm']);
        return text(program.stdout as Readable);
      };
      await new Promise((resolve) => setTimeout(resolve, 100));
      const first = await limit();
      expect(await limit()).toBe(first);
      await box.restart({ timeout: 0 });
      expect(await limit()).toBe(first);
      const file = join(place.root, 'containers', box.id, 'config.json');
      const config = JSON.parse(readFileSync(file, 'utf8'));
      config.process.rlimits = [{ type: 'RLIMIT_NOFILE', soft: 77, hard: 77 }];
      writeFileSync(file, JSON.stringify(config));
      expect(await limit()).toBe('77\nsleep\n');
    } finally {
      await box.remove({ force: true });
    }
  });

  test('a terminal that is resized', async () => {
    await using box = await start();
    const program = await box.exec(['sh', '-c', 'read line; stty size'], {
      tty: true,
      size: { columns: 70, rows: 20 },
    });
    program.resize({ columns: 71, rows: 21 });
    program.terminal?.write('\n');
    expect(await text(program.terminal as Readable)).toContain('21 71');
  });

  test('a container with a life of its own has the same', async () => {
    const box = await runDetached('busybox', ['sleep', '1000'], { cgroupParent: place.cgroupParent });
    try {
      const program = await box.exec(['echo', 'inside']);
      expect(await text(program.stdout as Readable)).toBe('inside\n');
      await box.pause();
      await expect(box.exec(['true'])).rejects.toMatchObject({ code: 'PAUSED' });
      expect((await box.inspect()).State.Status).toBe('paused');
      await box.unpause();
      await box.copyTo('/etc/hostname', '/tmp/copied');
      const archive = new PassThrough();
      const [bytes, content] = await Promise.all([
        box.copyFrom('/tmp/copied', archive).finally(() => archive.end()),
        text(archive),
      ]);
      expect(content.length).toBe(bytes);
      expect(content).toContain('copied');
    } finally {
      await box.remove({ force: true });
    }
  });
});
