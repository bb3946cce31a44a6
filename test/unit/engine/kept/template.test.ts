import { describe, expect, test } from 'vitest';
import { fillTemplate, makeTemplate } from '../../../../src/engine/kept/template.ts';
import { native } from '../../../../src/kernel/index.ts';
import { layOut } from '../../../../src/launch/index.ts';
import { type CgroupPlan, planContainer } from '../../../../src/runtime/index.ts';
import { inputWithId, mapped, sampleSpec } from '../../runtime/sample.ts';

const A = '0123456789ab'.padEnd(64, 'c');
const B = 'fedcba987654'.padEnd(64, '3');

const none = { stdin: false, stdout: false, stderr: false };

describe('a kept plan, filled in', () => {
  test.each([
    ['with three streams of its own', none, { stdin: 17, stdout: 19, stderr: 23 }, 29],
    ['with ours', { stdin: true, stdout: true, stderr: true }, { stdin: 0, stdout: 1, stderr: 2 }, 31],
    ['with one of ours', { ...none, stdout: true }, { stdin: 20, stdout: 1, stderr: 22 }, 70_000],
  ])('is byte for byte what planning anew gives, %s', (_, own, stdio, ready) => {
    const kept = makeTemplate(inputWithId(A), own);
    if (kept === undefined) throw new Error('not kept');
    const bytes = Buffer.from(new ArrayBuffer(kept.arena.length));
    kept.arena.copy(bytes);
    const base = Number(native().address(bytes));
    const filled = fillTemplate(bytes, kept.places, { id: B, stdio, ready, reader: 37, base });
    const fresh = layOut(planContainer({ ...inputWithId(B), stdio, ready, reader: 37 }), { base });
    expect(filled?.arena.bytes.equals(fresh.bytes)).toBe(true);
    // It says something only if there was something to fill in.
    expect(kept.places.addresses.length).toBeGreaterThan(50);
    expect(bytes.includes(A.slice(0, 12))).toBe(false);
  });

  test('is so too where it waits for a network, whose files have its id in their names', () => {
    const files = (id: string) => [
      { path: '/etc/hosts', content: '', source: `/store/containers/${id}/hosts`, mode: 0o644 },
    ];
    const stdio = { stdin: 17, stdout: 19, stderr: 23 };
    const kept = makeTemplate({ ...inputWithId(A), files: files(A) }, none, true);
    if (kept === undefined) throw new Error('not kept');
    const base = 0x7f0000000000;
    const bytes = Buffer.from(new ArrayBuffer(kept.arena.length));
    kept.arena.copy(bytes);
    const filled = fillTemplate(bytes, kept.places, {
      id: B,
      stdio,
      ready: 29,
      reader: 37,
      network: 41,
      base,
    });
    const input = { ...inputWithId(B), files: files(B), stdio, ready: 29, reader: 37, networkSocket: 41 };
    expect(filled?.arena.bytes.equals(layOut(planContainer(input), { base }).bytes)).toBe(true);
    // And not given out for a container that has none.
    expect(
      fillTemplate(kept.arena, kept.places, { id: B, stdio, ready: 29, reader: 37, base }),
    ).toBeUndefined();
  });

  test('knows where the program will be told of', () => {
    const kept = makeTemplate(inputWithId(A), none);
    const input = { ...inputWithId(A), stdio: { stdin: 7, stdout: 8, stderr: 9 }, ready: 10, reader: 37 };
    const plan = planContainer(input);
    const fresh = layOut(plan);
    expect(kept?.places.slots.pid).toBe(fresh.slotIndex(plan.pid));
    expect(kept?.places.slots.pidfd).toBe(plan.pidfd && fresh.slotIndex(plan.pidfd));
  });

  test.each([
    ['one of ours where it was none', none, { stdin: 0, stdout: 8, stderr: 9 }, 10],
    ['none of ours where it was one', { ...none, stdin: true }, { stdin: 7, stdout: 8, stderr: 9 }, 10],
    ['nothing between the program and its end', none, { stdin: 7, stdout: 8, stderr: 9 }, 3],
  ])('is not given out for %s', (_, own, stdio, ready) => {
    const kept = makeTemplate(inputWithId(A), own);
    if (kept === undefined) throw new Error('not kept');
    expect(
      fillTemplate(kept.arena, kept.places, { id: B, stdio, ready, reader: 37, base: 0x7f0000000000 }),
    ).toBeUndefined();
  });
});

test.each([
  ['a user namespace', inputWithId(A, () => {}, sampleSpec(mapped))],
  [
    'little memory',
    inputWithId(A, (input) => {
      (input.cgroup as CgroupPlan).tight = true;
    }),
  ],
])('a plan with a helper is not kept: %s', (_, input) => {
  expect(makeTemplate(input, none)).toBeUndefined();
});
