import { describe, expect, test } from 'vitest';
import { layOutContainer, layOutOnce } from '../../../src/engine/plan-template.ts';
import { native } from '../../../src/kernel/index.ts';
import { layOut, type Step } from '../../../src/launch/index.ts';
import { type CgroupPlan, type PlanInput, planContainer } from '../../../src/runtime/index.ts';
import { inputWithId, mapped, sampleSpec } from '../runtime/sample.ts';

const A = '0123456789ab'.padEnd(64, 'c');
const B = 'fedcba987654'.padEnd(64, '3');

/** What laying out anew would put at the same address. */
function fresh(input: PlanInput, { bytes }: { bytes: Buffer }): Buffer {
  return layOut(planContainer(input), { base: Number(native().address(bytes)) }).bytes;
}

describe('a plan that is used again', () => {
  test.each([
    ['is what laying out anew would give', () => {}, sampleSpec()],
    ['with a user namespace', () => {}, sampleSpec(mapped)],
    [
      'with devices',
      (input: PlanInput) => {
        (input.cgroup as CgroupPlan).deviceProgram = Buffer.alloc(16, 7);
      },
      sampleSpec(),
    ],
    [
      'with a seccomp profile that has large numbers',
      (input: PlanInput) => {
        const args = [{ index: 0, value: 2n ** 63n, op: 'SCMP_CMP_EQ' as const }];
        const syscalls = [{ names: ['clone'], action: 'SCMP_ACT_ALLOW' as const, args }];
        input.spec.linux.seccomp = { defaultAction: 'SCMP_ACT_ERRNO', syscalls };
      },
      sampleSpec(),
    ],
  ])('%s', (name, change, spec) => {
    const unlike = (input: PlanInput) => {
      input.files = [...input.files, { path: '/etc/test', content: name, mode: 0o644 }];
      change(input);
    };
    const first = layOutContainer(inputWithId(A, unlike, spec));
    // As a container leaves it.
    first.arena.bytes.fill(0x5a, 0, first.arena.bytes.length / 2);
    first.done();
    const again = layOutContainer(inputWithId(B, unlike, spec));
    expect(again.arena).toBe(first.arena);
    expect(again.arena.bytes.equals(fresh(inputWithId(B, unlike, spec), again.arena))).toBe(true);
    expect(again.arena.bytes.includes(A.slice(0, 12))).toBe(false);
  });

  test('its steps are named as this container has them', () => {
    const only = (input: PlanInput) => {
      input.ready = 99;
    };
    layOutContainer(inputWithId(A, only)).done();
    const { arena, step } = layOutContainer(inputWithId(B, only));
    const made = arena.steps.find((each) => each?.call === 'mkdirat');
    expect(made?.args[1]).toBe(`/sys/fs/cgroup/tsbox/${A}`);
    expect(step(made as Step).args[1]).toBe(`/sys/fs/cgroup/tsbox/${B}`);
  });
});

describe('a plan is laid out anew', () => {
  test('while the other is in use', () => {
    const only = (input: PlanInput) => {
      input.ready = 98;
    };
    expect(layOutContainer(inputWithId(A, only)).arena).not.toBe(layOutContainer(inputWithId(B, only)).arena);
  });

  test.each<[string, (input: PlanInput) => void]>([
    [
      'another limit',
      (input) => {
        (input.cgroup as CgroupPlan).writes = [{ file: 'pids.max', value: '65' }];
      },
    ],
    [
      'another descriptor',
      (input) => {
        input.stdio = { stdin: 20, stdout: 21, stderr: 24 };
      },
    ],
    [
      'another filter',
      (input) => {
        input.seccomp = { filter: Buffer.alloc(16, 1), flags: 0 };
      },
    ],
    [
      'other device rules',
      (input) => {
        (input.cgroup as CgroupPlan).deviceProgram = Buffer.alloc(16, 1);
      },
    ],
    [
      'another file',
      (input) => {
        input.files = [];
      },
    ],
    [
      'the id in another form',
      (input) => {
        input.spec.domainname = input.id.slice(0, 20);
      },
    ],
  ])('for %s', (_, change) => {
    const only = (input: PlanInput) => {
      input.ready = 97;
    };
    const first = layOutContainer(inputWithId(A, only));
    first.done();
    const other = layOutContainer(
      inputWithId(B, (input) => {
        only(input);
        change(input);
      }),
    );
    expect(other.arena).not.toBe(first.arena);
  });

  test('where it is timed', () => {
    const { arena, done } = layOutOnce(inputWithId(A), { timed: true });
    done();
    expect(layOutContainer(inputWithId(B)).arena).not.toBe(arena);
  });
});
