import { once } from 'node:events';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { expectNothingLeft, leftovers, makePlace } from '../../fixtures/leftovers.ts';
import { LIBRARY, program, startProgram } from '../../fixtures/program.ts';
import { printed } from '../../fixtures/tsbox.ts';
import { describeRoot } from '../support/tsbox.ts';

describeRoot('a program that ends while its containers run takes them along', () => {
  const place = makePlace();

  beforeAll(() => void printed(place, 'busybox', 'true'));
  afterEach(() => expectNothingLeft(place));
  afterAll(() => place.remove());

  const three = `
    const boxes = [
      await run('busybox', ['sleep', '1000'], here),
      await run('busybox', ['sh', '-c', 'sleep 1000 & sleep 1000'], { ...here, init: true }),
      await run('busybox', ['sleep', '1000'], { ...here, userns: 'auto', tty: true }),
    ];`;

  test('by process.exit(): at once, without waiting for the janitor', async () => {
    expect(await program(place, `${three} process.exit(7);`)).toEqual({
      status: 7,
      signal: null,
      stdout: '',
      stderr: '',
    });
    expect(leftovers(place)).toEqual([]);
  });

  test('by an uncaught error', async () => {
    const { status, stderr } = await program(place, `${three} throw new Error('a fault of its own');`);
    expect(status).toBe(1);
    expect(stderr).toContain('a fault of its own');
    expect(leftovers(place)).toEqual([]);
  });

  test('by a rejection that nobody handles', async () => {
    expect(
      (await program(place, `${three} void Promise.reject(new Error('no')); await sleep(1e6);`)).status,
    ).toBe(1);
    expect(leftovers(place)).toEqual([]);
  });

  test('in the middle of starts', async () => {
    for (const milliseconds of [0, 1, 2, 4, 8, 16, 32]) {
      const source = `
        for (let i = 0; i < 5; i++) void run('busybox', ['sleep', '1000'], here);
        setTimeout(() => process.exit(3), ${milliseconds});`;
      expect(await program(place, source)).toMatchObject({ status: 3, stderr: '' });
      await expectNothingLeft(place);
    }
  });

  test('by a signal that it does not handle', async () => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGKILL', 'SIGABRT'] as const) {
      const child = startProgram(place, `${three} console.log('up'); await sleep(1e6);`);
      await once(child.stdout, 'data');
      child.kill(signal);
      expect(await once(child, 'exit')).toEqual([null, signal]);
      await expectNothingLeft(place);
    }
  });

  test('a container that is kept is an ended one', async () => {
    await program(
      place,
      `await run('busybox', ['sleep', '1000'], { ...here, rm: false, name: 'kept' }); process.exit();`,
    );
    const source = `const [{ name, status, exitCode }] = listContainers(); console.log(name, status, exitCode);`;
    expect((await program(place, source)).stdout).toBe('kept exited 137\n');
    expect(leftovers(place)).toHaveLength(2);
    const { removeContainer } = await import('../../../src/index.ts');
    process.env.TSBOX_ROOT = place.root;
    await removeContainer('kept');
  });

  test('one that only forgets its containers waits for their end', async () => {
    const source = `void run('busybox', ['sh', '-c', 'sleep 1; exit 3'], here); process.on('exit', () => console.log('end'));`;
    const begin = performance.now();
    expect(await program(place, source)).toMatchObject({ status: 0, stdout: 'end\n', stderr: '' });
    expect(performance.now() - begin).toBeGreaterThan(1000);
  });
});

describeRoot('a worker thread that ends takes its containers along', () => {
  const place = makePlace();

  beforeAll(() => void printed(place, 'busybox', 'true'));
  afterEach(() => expectNothingLeft(place));
  afterAll(() => place.remove());

  /** A program whose worker starts a container, says so and goes on with `then`; prints what is there `milliseconds` after the worker's end. */
  const withWorker = (then: string, milliseconds = 0) => `
    const worker = new Worker(\`
      import(${JSON.stringify(pathToFileURL(LIBRARY).href)}).then(async ({ run }) => {
        const box = await run('busybox', ['sleep', '1000'], { cgroupParent: 'PARENT' });
        (await import('node:worker_threads')).parentPort.postMessage('up');
        ${then}
      });\`, { eval: true });
    worker.on('error', (error) => console.log(error.message));
    worker.on('message', () => ${then === '' ? 'worker.terminate()' : '{}'});
    worker.on('exit', async (code) => {
      await sleep(${milliseconds});
      const states = readFileSync('/proc/self/task/' + process.pid + '/children', 'utf8').split(' ').filter(Boolean)
        .map((pid) => readFileSync('/proc/' + pid + '/stat', 'utf8').split(' ')[2]);
      console.log(code, listContainers().length, states.filter((state) => state !== 'Z').length);
    });`;

  const inPlace = (source: string) => program(place, source.replace('PARENT', place.cgroupParent));

  test('by process.exit(), which there ends the thread only', async () => {
    expect(await inPlace(withWorker('process.exit(3);'))).toMatchObject({ stdout: '3 0 0\n', stderr: '' });
  });

  test('by an uncaught error', async () => {
    expect(await inPlace(withWorker("setTimeout(() => { throw new Error('a fault'); });"))).toMatchObject({
      stdout: 'a fault\n1 0 0\n',
      stderr: '',
    });
  });

  test('after it has ended its container: nothing is left, and nothing is said', async () => {
    expect(await inPlace(withWorker('await box.kill(); await box.wait();'))).toMatchObject({
      stdout: '0 0 0\n',
      stderr: '',
    });
  });

  test('by being terminated: its janitor sees it', async () => {
    expect(await inPlace(withWorker('', 2000))).toMatchObject({ stdout: '1 0 0\n', stderr: '' });
  });
});
