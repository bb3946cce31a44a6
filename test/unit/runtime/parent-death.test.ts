import { closeSync } from 'node:fs';
import { expect, test } from 'vitest';
import { pipe, reap, waitReadable } from '../../../src/kernel/index.ts';
import { allSteps, cloneStep, runPlan, Slot, type Step } from '../../../src/launch/index.ts';
import { planContainer } from '../../../src/runtime/index.ts';
import { dieWithParent, forgetReader } from '../../../src/runtime/parent-death.ts';
import { Stage } from '../../../src/runtime/stage.ts';
import { mapped, sampleInput, sampleSpec, textOf } from './sample.ts';

/** How a process ends that asks to die with a parent that is dead by then. */
async function late(prepare: (stage: Stage, ready: { read: number; write: number }) => void) {
  const ready = pipe();
  const child: Step[] = [];
  const stage = new Stage(child, 'Test');
  prepare(stage, ready);
  const tenth = { bytes: new Uint8Array(new BigInt64Array([0n, 100_000_000n]).buffer), text: '{100 ms}' };
  stage.call('ppoll', [null, 0, tenth, null, 8], 'meanwhile');
  dieWithParent(
    stage,
    sampleInput((input) => Object.assign(input, { ready: ready.write })),
    'too late',
  );
  stage.call('exit_group', [0], 'it has not noticed');
  const [pid, pidfd] = [new Slot('pid'), new Slot('pidfd')];
  const clone = cloneStep({
    stage: 'Test',
    why: 'a process',
    flags: ['CLONE_VM', 'CLONE_PIDFD', 'CLONE_CLEAR_SIGHAND'],
    exitSignal: 17,
    pid,
    pidfd,
    child,
  });
  const arena = runPlan({ steps: [clone] });
  // As at the death of the parent, which is this process and must not die for it.
  for (const fd of [ready.read, ready.write]) closeSync(fd);
  await waitReadable(arena.slot(pidfd));
  const death = reap(arena.slot(pidfd));
  closeSync(arena.slot(pidfd));
  return death;
}

test('a parent that died before the request is noticed, by who has no copy of its end of the pipe', async () => {
  const input = (reader: number) => sampleInput((one) => Object.assign(one, { reader }));
  expect(await late((stage, { read }) => forgetReader(stage, input(read)))).not.toEqual({ code: 0 });
  expect(await late(() => {})).toEqual({ code: 0 });
});

test('every process of a plan gives its copy away before it asks, but not one that is cloned by such a process', () => {
  const requests = (spec = sampleSpec()) => {
    const lines = allSteps(planContainer(sampleInput((one) => Object.assign(one, { reader: 29 }), spec))).map(
      textOf,
    );
    const places = lines.flatMap((line, at) => (line.includes('PR_SET_PDEATHSIG') ? [at] : []));
    expect(lines.filter((line) => line === 'close(29)')).toHaveLength(spec.linux.uidMappings ? 2 : 1);
    return places.map((at) => [lines[at - 1], lines[at + 1]]);
  };
  const [close, write] = ['close(29)', 'write(23, ., 1)'];
  expect(requests()[0]).toEqual([close, write]);
  // The holder, the helper, the container, and that once more when its ids are others.
  const [holder, helper, container, again] = requests(sampleSpec(mapped));
  expect([holder, helper]).toEqual([
    [close, write],
    [close, write],
  ]);
  expect(container).toEqual([expect.not.stringContaining('close'), write]);
  expect(again).toEqual([expect.stringContaining('setresuid'), write]);
});

test('of one that waits for its start, the pipe has another meaning', () => {
  const steps: Step[] = [];
  const held = {
    gate: 5,
    result: 6,
    state: 7,
    third: 8,
    createContainer: [],
    startContainer: [],
    preserve: 0,
  };
  dieWithParent(new Stage(steps, 'Test'), { ...sampleInput(), held }, 'why');
  expect(steps.map(({ call }) => call)).toEqual(['prctl']);
});
