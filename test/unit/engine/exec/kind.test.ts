import { expect, test } from 'vitest';
import { execKind, Reused } from '../../../../src/engine/exec/kind.ts';
import type { ExecOptions } from '../../../../src/engine/exec/options.ts';
import type { ContainerRecord } from '../../../../src/engine/record.ts';
import { layOut, type Plan } from '../../../../src/launch/index.ts';
import { planEntry } from '../../../../src/runtime/entry-plan.ts';
import { planHelper } from '../../../../src/runtime/helper-plan.ts';
import type { Spec } from '../../../../src/runtime/spec.ts';
import { sampleSpec } from '../../runtime/sample.ts';

const ID = 'c'.repeat(64);
const BASE = 0x1000000000;
const stdio = { stdin: 20, stdout: 21, stderr: 22 };
const descriptors = { stdio, container: 23, enter: 24, plan: 25, ready: 26, outcomeLength: 512, pidSlot: 0 };

/** As `tsbox.seccomp=unconfined` says, so that no filter has to be compiled. */
function specWithout(): Spec {
  return sampleSpec((spec) => {
    spec.annotations = { 'tsbox.seccomp': 'unconfined' };
  });
}

function targetFor(spec: Spec, record: Partial<ContainerRecord> = {}) {
  const whole = { id: ID, cgroup: '/sys/fs/cgroup/tsbox/c', ...record } as ContainerRecord;
  return { record: whole, spec, name: 'c', pid: 1, pidfd: 9 };
}

test('an equal exec has the same plans', () => {
  const spec = specWithout();
  const first = execKind(targetFor(spec), ['true'], { stdin: 'ignore' });
  expect(execKind(targetFor(spec), ['true'], { stdin: 'pipe', mayBlock: true })).toBe(first);
  expect(first.entry({ stdin: 7, stdout: 8, stderr: 9 })).toBe(first.entry(stdio));
  expect(first.helper({ ...descriptors })).toBe(first.helper(descriptors));
});

test.each<[string, (spec: Spec) => ReturnType<typeof execKind>]>([
  ['another command', (spec) => execKind(targetFor(spec), ['true', ''], {})],
  ['another directory', (spec) => execKind(targetFor(spec), ['true'], { workdir: '/srv' })],
  ['another container', (spec) => execKind(targetFor(spec, { id: 'd'.repeat(64) }), ['true'], {})],
  ['another cgroup', (spec) => execKind(targetFor(spec, { cgroup: '/sys/fs/cgroup/d' }), ['true'], {})],
  ['a configuration that was read anew', () => execKind(targetFor(specWithout()), ['true'], {})],
  ['one that stays', (spec) => execKind(targetFor(spec), ['true'], {}, { detached: true })],
])('%s is another kind', (_, other) => {
  const spec = specWithout();
  const first = execKind(targetFor(spec), ['true'], {});
  expect(other(spec)).not.toBe(first);
  expect(execKind(targetFor(spec), ['true'], {})).toBe(first);
});

test.each<[string, ExecOptions]>([
  ['variables', { env: { A: '1' } }],
  ['a terminal', { tty: true }],
  ['all capabilities', { privileged: true }],
])('nothing is kept of one with %s', (_, options) => {
  const spec = specWithout();
  const first = execKind(targetFor(spec), ['true'], options);
  expect(execKind(targetFor(spec), ['true'], options)).not.toBe(first);
});

test('what is kept is bounded', () => {
  const spec = specWithout();
  const first = execKind(targetFor(spec), ['first'], {});
  const second = execKind(targetFor(spec), ['second'], {});
  for (let count = 0; count < 15; count++) {
    execKind(targetFor(spec), [`other-${count}`], {});
    expect(execKind(targetFor(spec), ['first'], {})).toBe(first);
  }
  expect(execKind(targetFor(spec), ['second'], {})).not.toBe(second);
});

test('memory that was used is as laid out', () => {
  const { entry, helper, input } = (() => {
    const kind = execKind(targetFor(specWithout()), ['true'], {});
    return { entry: kind.entry(stdio), helper: kind.helper(descriptors), input: kind.input };
  })();
  for (const used of [entry, helper] as Reused<Plan>[]) {
    const arena = used.renew();
    arena.bytes.fill(0x55, 0, arena.outcomeLength);
    expect(used.renew()).toBe(arena);
    expect(arena.failure()).toBeUndefined();
  }
  const fresh = layOut(planEntry({ ...input, stdio }), { base: BASE });
  expect(Buffer.compare(entry.renew().bytes, fresh.bytes)).toBe(0);
  const plan = planHelper({ ...input, ...descriptors });
  const again = new Reused(plan, BASE);
  const before = Buffer.from(again.renew().bytes);
  again.renew().bytes.fill(0x55, 0, again.renew().outcomeLength);
  expect(Buffer.compare(again.renew().bytes, before)).toBe(0);
});

test('other descriptors are in another plan', () => {
  const kind = execKind(targetFor(specWithout()), ['true'], {});
  const numbers = (plan: Plan) =>
    (plan.steps[1]?.child ?? []).filter(({ call }) => call === 'dup3').map(({ args }) => args[0]);
  expect(numbers(kind.helper(descriptors).plan)).toEqual([20, 21, 22, 25, 23, 26]);
  expect(numbers(kind.helper({ ...descriptors, ready: 30 }).plan)).toEqual([20, 21, 22, 25, 23, 30]);
});
