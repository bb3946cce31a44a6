import { closeSync, readdirSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import type { Prepared } from '../../../src/engine/prepare.ts';
import { requireKernel } from '../../../src/engine/require-host.ts';
import { start } from '../../../src/engine/start.ts';
import { openStreams } from '../../../src/engine/streams.ts';
import { pipe, waitHangUp } from '../../../src/kernel/index.ts';
import { mapped, sampleInput, sampleSpec } from '../runtime/sample.ts';

// Starts that fail before there is a container, which takes no privilege: what matters is that they end, say why, and leave nothing.

const openDescriptors = () => readdirSync('/proc/self/fd').length;
const children = () => readdirSync('/proc/self/task').length;

function prepared(spec = sampleSpec(), cgroup = '/nowhere/tsbox/x'): Prepared {
  const {
    stdio: _,
    ready: __,
    ...input
  } = sampleInput((each) => {
    each.cgroup = { path: cgroup, writes: [{ file: 'pids.max', value: '64' }] };
  }, spec);
  return { input, built: { spec }, image: {}, makeCgroupParents() {} } as unknown as Prepared;
}

async function failing(what: Prepared) {
  const streams = openStreams({ stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' }, 0);
  try {
    const starting = start(what, streams, { timed: false, mayBlock: false });
    streams.release();
    return await starting.then(
      () => 'started',
      (error) => error,
    );
  } finally {
    streams.abandon();
  }
}

// The poller's descriptors are made once.
const warm = pipe();
closeSync(warm.write);
await waitHangUp(warm.read);
closeSync(warm.read);
const before = [openDescriptors(), children()];
afterAll(() => expect([openDescriptors(), children()]).toEqual(before));

describe('a start that fails at the cgroup', () => {
  test.each([
    ['of a plain container', sampleSpec()],
    ['with a user namespace', sampleSpec(mapped)],
    ['with an OOM score', sampleSpec((spec) => (spec.process.oomScoreAdj = 100))],
  ])('%s ends and says where', async (_, spec) => {
    const error = await failing(prepared(spec));
    expect(error).toMatchObject({ code: 'ENOENT', syscall: 'mkdirat', path: '/nowhere/tsbox/x' });
    expect(openDescriptors()).toBe(before[0]);
  });

  test('whose limit cannot be written closes what it had opened', async () => {
    // A directory that can be made, and has no file pids.max.
    const error = await failing(prepared(sampleSpec(), `/tmp/tsbox-start-${process.pid}`));
    expect(error).toMatchObject({ code: 'ENOENT', syscall: 'openat', path: 'pids.max' });
    expect(openDescriptors()).toBe(before[0]);
    expect(readdirSync('/tmp')).not.toContain(`tsbox-start-${process.pid}`);
  });
});

test('a plan that cannot be made leaves nothing either', async () => {
  const spec = sampleSpec((each) => {
    each.process.capabilities = { bounding: ['CAP_NONE'] };
  });
  expect(await failing(prepared(spec))).toMatchObject({ code: 'BAD_SPEC' });
  expect(openDescriptors()).toBe(before[0]);
});

test('streams that nobody uses are closed', () => {
  const streams = openStreams({ stdin: 'pipe', stdout: 'ignore', stderr: 'inherit' }, 0);
  streams.release();
  streams.abandon();
  expect(openDescriptors()).toBe(before[0]);
});

test('a kernel that is too old is refused', () => {
  expect(() => requireKernel({ major: 5, minor: 13 })).toThrow(
    'tsbox needs Linux 5.14 or newer; this is 5.13',
  );
  expect(() => requireKernel({ major: 4, minor: 19 })).toThrow(
    expect.objectContaining({ code: 'KERNEL_TOO_OLD' }),
  );
  for (const [major, minor] of [
    [5, 14],
    [6, 0],
    [10, 2],
  ] as const)
    expect(() => requireKernel({ major, minor })).not.toThrow();
});
