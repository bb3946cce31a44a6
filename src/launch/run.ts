import { KernelError, native } from '../kernel/index.ts';
import { advice } from './advice.ts';
import type { Arena } from './arena.ts';
import { layOut } from './lay-out.ts';
import type { Plan, Step } from './plan.ts';

/**
 * Carries out a plan: its own steps before this returns, those of the processes it clones while they live. The arena says
 * what became of it; keep it until the clone has exec'd or died.
 *
 * The launcher is this thread of Node. Two facts of the kernel follow from that: the container's parent, whose end
 * PR_SET_PDEATHSIG tells it of, is this *thread* (a container started in a worker thread dies with the worker), and nothing is ever unshared
 * here, because other threads of Node would not come along.
 */
export function runPlan(plan: Plan, options: { timed?: boolean } = {}): Arena {
  const arena = layOut(plan, options);
  carryOut(arena);
  return arena;
}

/** The same with a plan that has been laid out before, or with the part of it from a step on. */
export function carryOut(arena: Arena, from = 0): void {
  native().runPlan(arena.bytes, from);
}

/** The failed step as an error a person can act on. */
export function failureError(failure: { step: Step; errno: number }): KernelError {
  const { step, errno } = failure;
  const path = step.args.find((argument) => typeof argument === 'string' && argument !== '');
  return new KernelError(step.call, errno, {
    doing: step.why,
    path: typeof path === 'string' ? path : undefined,
    advice: advice(step, errno),
  });
}

export interface ProfileEntry {
  stage: string;
  call: string;
  why: string;
  /** Nanoseconds on CLOCK_MONOTONIC, comparable with `process.hrtime.bigint()`. */
  began: bigint;
  /** Equal to `began` for a call that did not return: the exec that became the program. */
  ended: bigint;
}

/** The times of a plan that was run with `timed`, in the order of their beginning. */
export function profileOf(arena: Arena): ProfileEntry[] {
  return arena
    .outcomes()
    .map(({ step, began, ended }) => ({
      stage: step.stage,
      call: step.call,
      why: step.why,
      began,
      ended: ended === 0n ? began : ended,
    }))
    .sort((a, b) => Number(a.began - b.began));
}
