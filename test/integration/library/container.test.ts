import { createHash } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, expect, test } from 'vitest';
import { type Container, KernelError, run, type StartOptions, TsboxError } from '../../../src/index.ts';
import { descriptors, expectNothingLeft, makePlace, zombies } from '../../fixtures/leftovers.ts';
import { describeRoot } from '../support/tsbox.ts';

describeRoot('the library', () => {
  const place = makePlace();
  process.env.TSBOX_ROOT = place.root;

  afterEach(async () => {
    await expectNothingLeft(place);
    expect(zombies()).toEqual([]);
  });
  afterAll(() => place.remove());

  const start = (command: string[], options: StartOptions = {}): Promise<Container> =>
    run('busybox', command, { cgroupParent: place.cgroupParent, ...options });
  const sh = (script: string, options?: StartOptions) => start(['sh', '-c', script], options);

  test('await using ends it', async () => {
    let dead: Container;
    {
      await using box = await start(['sleep', '1000']);
      dead = box;
      expect(box.id).toMatch(/^[0-9a-f]{64}$/);
      expect(box.pid).toBeGreaterThan(1);
    }
    expect(await dead.wait()).toEqual({ code: 137, signal: 'SIGKILL', oomKilled: false });
    expect(() => process.kill(dead.pid, 0)).toThrow('ESRCH');
    // Twice is once.
    await dead[Symbol.asyncDispose]();
  });

  test('streams as async iterables', async () => {
    await using box = await sh('echo out; echo err >&2; echo more');
    const chunks: string[] = [];
    for await (const chunk of box.stdout ?? []) chunks.push(String(chunk));
    expect(chunks.join('')).toBe('out\nmore\n');
    expect(await text(box.stderr as Readable)).toBe('err\n');
  });

  test('what was not read before the end can be read after it', async () => {
    await using box = await sh('echo out; echo err >&2; exit 4');
    expect((await box.wait()).code).toBe(4);
    expect(await text(box.stdout as Readable)).toBe('out\n');
    expect(await text(box.stderr as Readable)).toBe('err\n');
  });

  test('stdin.end is the end of its input', async () => {
    await using box = await start(['wc', '-c']);
    box.stdin?.write('four');
    box.stdin?.end('teen');
    expect(await text(box.stdout as Readable)).toBe('8\n');
    expect((await box.wait()).code).toBe(0);
  });

  test('every byte, both ways, more than a pipe holds', async () => {
    const bytes = Buffer.from(
      Uint8Array.from({ length: 8 << 20 }, (_, index) => (index * 7919 + (index >> 8)) & 255),
    );
    await using box = await start(['cat']);
    box.stdin?.end(bytes);
    const hash = createHash('sha256');
    for await (const chunk of box.stdout ?? []) hash.update(chunk);
    expect(hash.digest('hex')).toBe(createHash('sha256').update(bytes).digest('hex'));
  });

  test('a program that does not read its input, and one that is gone', async () => {
    await using box = await sh('exec 0<&-; echo ready; sleep 0.2');
    await once(box.stdout ?? process, 'data');
    const [error] = await Promise.all([once(box.stdin ?? process, 'error'), box.stdin?.write('x')]);
    expect(error).toEqual([expect.objectContaining({ code: 'EPIPE' })]);
    expect((await box.wait()).code).toBe(0);
  });

  test('wait() as often as one likes, before and after', async () => {
    await using box = await sh('exit 9', { stdout: 'ignore', stderr: 'ignore', stdin: 'ignore' });
    const [first, second] = await Promise.all([box.wait(), box.wait()]);
    expect(first).toEqual({ code: 9, oomKilled: false });
    expect(second).toBe(first);
    expect(await box.wait()).toBe(first);
    expect([box.stdin, box.stdout, box.stderr, box.terminal]).toEqual([null, null, null, null]);
  });

  test.each([
    ['SIGTERM', 3],
    ['TERM', 3],
    [15, 3],
    ['SIGKILL', 137],
    [undefined, 137],
  ])('kill(%s)', async (signal, code) => {
    await using box = await sh('trap "exit 3" TERM; echo up; while :; do sleep 0.05; done');
    await once(box.stdout ?? process, 'data');
    await box.kill(signal);
    expect((await box.wait()).code).toBe(code);
    await expect(box.kill()).rejects.toMatchObject({ code: 'NOT_RUNNING' });
  });

  test('kill() with no such signal', async () => {
    await using box = await start(['sleep', '1000']);
    await expect(box.kill('SIGNONE')).rejects.toMatchObject({ code: 'BAD_OPTION', exitCode: 125 });
    await expect(box.kill(99)).rejects.toThrow(TsboxError);
  });

  test('stop(): the stop signal, and SIGKILL for one that does not listen', async () => {
    await using polite = await sh('trap "exit 5" USR1; echo up; while :; do sleep 0.05; done', {
      stopSignal: 'USR1',
    });
    await once(polite.stdout ?? process, 'data');
    expect((await polite.stop()).code).toBe(5);
    await using deaf = await start(['sleep', '1000'], { stopTimeout: 1 });
    const begin = performance.now();
    expect((await deaf.stop()).code).toBe(137);
    expect(performance.now() - begin).toBeGreaterThan(950);
    expect(performance.now() - begin).toBeLessThan(5000);
  });

  test('an AbortSignal that has fired before', async () => {
    const reason = new Error('not today');
    await expect(start(['true'], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  test('an AbortSignal that fires while it runs', async () => {
    const abort = new AbortController();
    await using box = await start(['sleep', '1000'], { signal: abort.signal });
    setTimeout(() => abort.abort(), 50);
    expect(await box.wait()).toMatchObject({ code: 137, signal: 'SIGKILL' });
  });

  test('an AbortSignal that fires while it starts', async () => {
    const abort = new AbortController();
    const starting = start(['sleep', '1000'], { signal: abort.signal });
    abort.abort();
    // Either it never began, or it began and was killed.
    const box = await starting.catch((error: Error) => error);
    if (box instanceof Error) expect(box.name).toBe('AbortError');
    else expect((await box.wait()).code).toBe(137);
  });

  test('a signal of many containers keeps none of them', async () => {
    const { signal } = new AbortController();
    for (let i = 0; i < 3; i++) await (await start(['true'], { signal, ...quiet })).wait();
    await new Promise(setImmediate);
    expect(EventEmitter.getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  test('stats() while it runs, and nothing once it is gone', async () => {
    await using box = await start(['sleep', '1000'], quiet);
    expect((await box.stats()).cpu?.usageUsec).toBeGreaterThanOrEqual(0);
    await box.kill();
    await box.wait();
    expect(await box.stats()).toEqual({});
  });

  test('a terminal: one stream for both directions, with a size', async () => {
    await using box = await sh('stty size; tty; read line; echo "got $line"; exit 6', {
      tty: true,
      size: { columns: 132, rows: 43 },
    });
    expect([box.stdin, box.stdout, box.stderr]).toEqual([null, null, null]);
    box.terminal?.write('word\r');
    const shown = await text(box.terminal as Readable);
    // What is typed is echoed at once, which may be before the program says anything.
    expect(shown.replace('word\r\n', '')).toMatch(/^43 132\r\n/);
    expect(shown).toContain('/dev/pts/0\r\n');
    expect(shown).toContain('got word\r\n');
    expect((await box.wait()).code).toBe(6);
  });

  test('resize() reaches the program', async () => {
    await using box = await sh('trap "stty size; exit" WINCH; echo up; while :; do sleep 0.05; done', {
      tty: true,
    });
    await once(box.terminal ?? process, 'data');
    box.resize({ columns: 77, rows: 11 });
    expect(await text(box.terminal as Readable)).toContain('11 77');
    await using plain = await start(['true'], quiet);
    expect(() => plain.resize({ columns: 1, rows: 1 })).toThrow(
      expect.objectContaining({ code: 'NO_TERMINAL' }),
    );
    await plain.wait();
  });

  test.each([
    [['nothing-of-that-name'], 'PROGRAM_NOT_FOUND', 127],
    [['/nowhere/at/all'], 'PROGRAM_NOT_FOUND', 127],
    [['/etc/passwd'], 'PROGRAM_NOT_EXECUTABLE', 126],
    [['/tmp'], 'PROGRAM_NOT_EXECUTABLE', 126],
  ])('%j is %s', async (command, code, exitCode) => {
    const before = descriptors();
    await expect(start(command)).rejects.toMatchObject({ code, exitCode });
    expect(descriptors()).toEqual(before);
  });

  test('errors are TsboxErrors with a code', async () => {
    const unknown = () => run('no-such-image', [], { pull: 'never' });
    await expect(unknown()).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND', exitCode: 125 });
    await expect(unknown()).rejects.toBeInstanceOf(TsboxError);
    await expect(start(['true'], { memory: 'plenty' })).rejects.toMatchObject({ code: 'BAD_OPTION' });
    await expect(start(['true'], { name: '!' })).rejects.toBeInstanceOf(TsboxError);
    expect(KernelError.prototype).toBeInstanceOf(TsboxError);
  });

  test('a name is taken as long as its container is there', async () => {
    await using box = await start(['sleep', '1000'], { name: 'only', ...quiet });
    expect(box.name).toBe('only');
    await expect(start(['true'], { name: 'only' })).rejects.toMatchObject({
      code: 'NAME_IN_USE',
      exitCode: 125,
    });
    await box.kill();
    await box.wait();
    await using next = await start(['true'], { name: 'only', ...quiet });
    expect((await next.wait()).code).toBe(0);
  });
});

const quiet = { stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' } as const;
