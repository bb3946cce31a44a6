import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { expectNothingLeft, makePlace } from '../../fixtures/leftovers.ts';
import { printed, startBox } from '../../fixtures/tsbox.ts';
import { describeRoot } from '../support/tsbox.ts';

describeRoot('signals that end tsbox leave nothing', () => {
  const place = makePlace();

  beforeAll(() => void printed(place, 'busybox', 'true'));
  afterEach(() => expectNothingLeft(place));
  afterAll(() => place.remove());

  // 128 + the signal's number, whether the program died of it or tsbox called off the start.
  test.each([
    ['SIGTERM', 143],
    ['SIGHUP', 129],
    ['SIGINT', 130],
  ] as const)('%s at any moment', async (signal, code) => {
    for (let run = 0; run < 8; run++) {
      const child = startBox(place, '--init', 'busybox', 'sleep', '1000');
      await sleep(Math.random() * 300);
      child.kill(signal);
      const [status, death] = await once(child, 'exit');
      // Before Node has begun to run tsbox the signal does what it does to any program.
      expect([status, death]).toEqual(death === null ? [code, null] : [null, signal]);
      await expectNothingLeft(place);
    }
  });

  test('a program that ignores them outlives them, and its tsbox with it', async () => {
    const child = startBox(
      place,
      'busybox',
      'sh',
      '-c',
      'trap "echo no" TERM HUP INT; echo up; while :; do sleep 0.1; done',
    );
    const output: string[] = [];
    child.stdout?.on('data', (chunk) => output.push(String(chunk)));
    while (output.length === 0) await sleep(10);
    for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT'] as const) {
      child.kill(signal);
      const before = output.length;
      while (output.length === before) await sleep(10);
    }
    expect(child.exitCode).toBeNull();
    child.kill('SIGKILL');
    expect(output.join('')).toBe('up\nno\nno\nno\n');
  });
});
